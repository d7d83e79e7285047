/* cutout_c IN.ppm OUT.pam: the C API. Binary portable pixmaps in, portable arbitrary maps with alpha out. */
#include <alphacut/alphacut.h>
#include <stdio.h>
#include <stdlib.h>

static int failed(const char* what) {
  fprintf(stderr, "cutout_c: %s\n", what);
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 3) return failed("usage: cutout_c IN.ppm OUT.pam");
  FILE* file = fopen(argv[1], "rb");
  unsigned width = 0, height = 0;
  if (file == NULL || fscanf(file, "P6 %5u %5u 255", &width, &height) != 2 || fgetc(file) == EOF || width == 0 ||
      height == 0)
    return failed("cannot read the picture: it must be a binary PPM of 8 bits");
  const size_t pixels = (size_t)width * height;
  unsigned char *rgb = malloc(3 * pixels), *rgba = malloc(4 * pixels);
  if (rgb == NULL || rgba == NULL || fread(rgb, 3, pixels, file) != pixels) return failed("the picture ends too early");
  fclose(file);

  const alphacut_image image = {rgb, height, width, 3, 0, ALPHACUT_UINT8};
  alphacut_cutout* cutout = NULL;
  if (alphacut_remove_background(&image, NULL, NULL, &cutout) != ALPHACUT_OK) return failed(alphacut_last_error());
  if (alphacut_cutout_rgba(cutout, &image, rgba, 0) != ALPHACUT_OK) return failed(alphacut_last_error());
  printf("found by %s, confidence %.2f\n", alphacut_cutout_method(cutout), alphacut_cutout_confidence(cutout));
  alphacut_cutout_free(cutout);

  file = fopen(argv[2], "wb");
  if (file == NULL) return failed("cannot write the cutout");
  fprintf(file, "P7\nWIDTH %u\nHEIGHT %u\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n", width, height);
  const int written = fwrite(rgba, 4, pixels, file) == pixels;
  if (fclose(file) != 0 || !written) return failed("cannot write the cutout");
  free(rgb);
  free(rgba);
  return 0;
}
