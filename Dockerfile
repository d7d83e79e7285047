# docker build -t alphacut . && docker run --rm -p 7000:7000 alphacut
FROM python:3.12-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
COPY . /src
RUN pip wheel --no-cache-dir --no-deps -w /wheels /src

FROM python:3.12-slim
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir "$(echo /wheels/alphacut-*.whl)[serve]" && rm -rf /wheels && useradd --system alphacut
USER alphacut
EXPOSE 7000
HEALTHCHECK CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7000/healthz')"]
CMD ["alphacut", "serve", "--host", "0.0.0.0", "--port", "7000"]
