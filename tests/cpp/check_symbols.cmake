# cmake -DNM=... -DOBJECTS=a.o;b.o -P check_symbols.cmake: an object of kernels defines one global symbol, its table. A weak
# one could be picked by the linker for everyone, and crash older processors.
foreach(object ${OBJECTS})
  execute_process(COMMAND ${NM} -g --defined-only ${object} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  string(STRIP "${symbols}" symbols)
  if(NOT symbols MATCHES "^[0-9a-f]+ [DR] [A-Za-z0-9_]*tableE$")
    message(SEND_ERROR "${object} must define its table and nothing else, but has:\n${symbols}")
  endif()
endforeach()
