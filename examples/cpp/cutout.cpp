// cutout IN.png OUT.png [X Y WIDTH HEIGHT]: cuts the subject, which may be boxed, out of a picture.
#include <png.h>

#include <alphacut/alphacut.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <variant>
#include <vector>

namespace {

struct Picture {
  png_image png{};
  std::vector<uint8_t> pixels;
  int64_t channels = 0;
};

Picture read(const char* path) {
  Picture picture;
  picture.png.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_file(&picture.png, path) == 0) throw std::runtime_error(picture.png.message);
  const bool alpha = (picture.png.format & PNG_FORMAT_FLAG_ALPHA) != 0;
  const bool gray = (picture.png.format & PNG_FORMAT_FLAG_COLOR) == 0;
  picture.png.format = alpha ? PNG_FORMAT_RGBA : gray ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  picture.channels = PNG_IMAGE_PIXEL_CHANNELS(picture.png.format);
  picture.pixels.resize(PNG_IMAGE_SIZE(picture.png));
  if (png_image_finish_read(&picture.png, nullptr, picture.pixels.data(), 0, nullptr) == 0)
    throw std::runtime_error(picture.png.message);
  return picture;
}

void write(const char* path, const alphacut::Image<uint8_t>& rgba) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(rgba.width());
  png.height = static_cast<png_uint_32>(rgba.height());
  png.format = PNG_FORMAT_RGBA;
  if (png_image_write_to_file(&png, path, 0, rgba.data(), 0, nullptr) == 0) throw std::runtime_error(png.message);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3 && argc != 7) return std::fprintf(stderr, "usage: cutout IN.png OUT.png [X Y WIDTH HEIGHT]\n"), 2;
  const Picture picture = read(argv[1]);
  const alphacut::AnyView view =
      alphacut::packed(picture.pixels.data(), picture.png.height, picture.png.width, picture.channels);
  alphacut::Prompt prompt;
  if (argc == 7) prompt.box = {std::atoll(argv[3]), std::atoll(argv[4]), std::atoll(argv[5]), std::atoll(argv[6])};

  const alphacut::Cutout cutout = alphacut::remove_background(view, prompt);

  write(argv[2], std::get<alphacut::Image<uint8_t>>(alphacut::to_rgba(view, cutout)));
  std::printf("found by %s, confidence %.2f\n", cutout.method.c_str(), cutout.confidence);
  for (const auto& warning : cutout.warnings) std::printf("%s\n", warning.c_str());
} catch (const std::exception& error) {
  std::fprintf(stderr, "cutout: %s\n", error.what());
  return 1;
}
