/* alphacut for C, and for every language that can call C.
 *
 * Objects are opaque, made by functions that return a status and freed by the function of their name. A function that
 * returns a status writes its result only if that is ALPHACUT_OK; else alphacut_last_error() says why. No exception
 * leaves a function, nothing is printed. NULL where a pointer must not be is ALPHACUT_INVALID_ARGUMENT, in the
 * functions that return no status the value that stands for nothing; freeing NULL does nothing. Functions may be called
 * from many threads; cuts of one session find the subject one after the other, and refine at the same time. The bytes
 * are those of C++ and Python.
 */
#ifndef ALPHACUT_ALPHACUT_H
#define ALPHACUT_ALPHACUT_H

#include <stddef.h>
#include <stdint.h>

#include "alphacut/version.h"

#if defined(ALPHACUT_SHARED) && defined(__GNUC__)
#define ALPHACUT_C_API __attribute__((visibility("default")))
#else
#define ALPHACUT_C_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum alphacut_status {
  ALPHACUT_OK = 0,
  ALPHACUT_INVALID_ARGUMENT = 1, /* a wrong size, range or word, or prompts that cannot work */
  ALPHACUT_OUT_OF_MEMORY = 2,
  ALPHACUT_ERROR = 3,    /* anything else, such as a file that cannot be read */
  ALPHACUT_CANCELLED = 4 /* by alphacut_session_cancel */
} alphacut_status;

/* Why the latest call of this thread that failed did so: UTF-8, in one piece until the next one fails; "" before. */
ALPHACUT_C_API const char* alphacut_last_error(void);

/* Of the library that is linked; ALPHACUT_VERSION is the header's. */
ALPHACUT_C_API const char* alphacut_version(void);

/* Threads a call may use, the caller included; 0 if ALPHACUT_NUM_THREADS holds something else than a number. */
ALPHACUT_C_API int alphacut_num_threads(void);
ALPHACUT_C_API alphacut_status alphacut_set_num_threads(int count); /* 1 to 1024 */

/* The instruction set in use, NULL if ALPHACUT_ISA names none of this machine; those available, slowest first, NULL
 * beyond the last; and one forced for the whole process, while no other thread computes. All give the same bytes. */
ALPHACUT_C_API const char* alphacut_isa(void);
ALPHACUT_C_API const char* alphacut_available_isa(int index);
ALPHACUT_C_API alphacut_status alphacut_set_isa(const char* name);

typedef enum alphacut_depth {
  ALPHACUT_UINT8 = 0,  /* 0..255 */
  ALPHACUT_UINT16 = 1, /* 0..65535 */
  ALPHACUT_FLOAT32 = 2 /* 0..1 */
} alphacut_depth;

/* Pixels in the caller's memory: rows of width * channels values, `stride` bytes apart; 0: packed. */
typedef struct alphacut_image {
  const void* data; /* NULL: no picture */
  int64_t height, width, channels;
  int64_t stride;
  alphacut_depth depth;
} alphacut_image;

/* A network of one's own that says where the subject is, from its file's bytes. It must outlive its sessions. */
typedef struct alphacut_network alphacut_network;
ALPHACUT_C_API alphacut_status alphacut_network_load(const void* file, size_t size, alphacut_network** network);
ALPHACUT_C_API void alphacut_network_free(alphacut_network* network);

/* As the options of Python's remove_background, which says what each means. */
typedef struct alphacut_options {
  size_t size;                     /* of this struct, by which later versions know what is in it */
  const char* method;              /* "auto", "graphcut", "kmeans", "threshold", "key" */
  const char* subject;             /* "auto", "learned", "barrier" */
  const alphacut_network* network; /* says where the subject is; NULL: the one that comes with alphacut */
  const char* refine;              /* "auto", "guided", "sampled", "closed_form", "none" */
  double similarity, blend;        /* of a key, 0..2; below 0: the default */
  int despill;                     /* 0 or 1, as are all that follow without a range */
  double edge_shift, edge_feather; /* pixels: -100..100, 0..100 */
  int clean, foreground;
  int denoise, white_balance; /* before the subject is looked for */
  int64_t seed;               /* 0 or more */
} alphacut_options;
ALPHACUT_C_API void alphacut_options_init(alphacut_options* options); /* the defaults */

typedef struct alphacut_box {
  int64_t x, y, width, height; /* pixels; the top left corner */
} alphacut_box;

typedef struct alphacut_point {
  double x, y;
  int keep; /* 1: a pixel of the subject; 0: not */
} alphacut_point;

/* What is told of the subject. Box, points, labels and prior go together; mask, trimap and key go alone. */
typedef struct alphacut_prompt {
  size_t size;                  /* of this struct */
  const alphacut_box* box;      /* NULL: none */
  const alphacut_point* points; /* on top of the labels */
  size_t n_points;
  alphacut_image labels; /* uint8, 1 channel: 0 background, 1 foreground, 2 and 3 probably so */
  alphacut_image mask;   /* uint8, 1 channel: above 127, or 1 in a mask of 0 and 1 */
  alphacut_image trimap; /* uint8, 1 channel: 0 background, 255 foreground, anything between unknown */
  const double* key;     /* r, g, b in 0..1; NULL: none */
  alphacut_image prior;  /* float, 1 channel, of any size: how likely each pixel belongs to the subject */
} alphacut_prompt;
ALPHACUT_C_API void alphacut_prompt_init(alphacut_prompt* prompt); /* nothing is told */

/* One opened picture: prepared once, so that one more stroke costs a fraction of the first cut. 1, 3 or 4 channels (the
 * last of them its own alpha); the pixels must live and stay as long as the session. NULL for options: the defaults. */
typedef struct alphacut_session alphacut_session;
ALPHACUT_C_API alphacut_status alphacut_session_open(const alphacut_image* image, const alphacut_options* options,
                                                     alphacut_session** session);
ALPHACUT_C_API void alphacut_session_free(alphacut_session* session);

/* NULL for a prompt: nothing is told. With `resume` = 1 a graph cut goes on from the latest one of the same box. */
typedef struct alphacut_cutout alphacut_cutout;
ALPHACUT_C_API alphacut_status alphacut_session_cut(alphacut_session* session, const alphacut_prompt* prompt,
                                                    int resume, alphacut_cutout** cutout);

/* Ends the cuts that other threads are making, within some milliseconds: they return ALPHACUT_CANCELLED, and the
 * session is as good as it was. Later cuts are made as ever. */
ALPHACUT_C_API void alphacut_session_cancel(alphacut_session* session);

/* A session for one cut. */
ALPHACUT_C_API alphacut_status alphacut_remove_background(const alphacut_image* image, const alphacut_prompt* prompt,
                                                          const alphacut_options* options, alphacut_cutout** cutout);
ALPHACUT_C_API void alphacut_cutout_free(alphacut_cutout* cutout);

/* What was found, as long as the cutout lives: the mask (uint8, 0 and 255) and the alpha (in the picture's depth). */
ALPHACUT_C_API alphacut_image alphacut_cutout_mask(const alphacut_cutout* cutout);
ALPHACUT_C_API alphacut_image alphacut_cutout_alpha(const alphacut_cutout* cutout);

/* Writes straight RGBA of the size and depth of `image`, the picture that was cut, into rows `stride` bytes apart; 0:
 * packed. `rgba` must not overlap the picture. */
ALPHACUT_C_API alphacut_status alphacut_cutout_rgba(const alphacut_cutout* cutout, const alphacut_image* image,
                                                    void* rgba, int64_t stride);

/* The mask's box; 0 and no box written if the mask is empty. */
ALPHACUT_C_API int alphacut_cutout_box(const alphacut_cutout* cutout, alphacut_box* box);
ALPHACUT_C_API double alphacut_cutout_confidence(const alphacut_cutout* cutout);  /* 0..1 */
ALPHACUT_C_API const char* alphacut_cutout_method(const alphacut_cutout* cutout); /* what found the mask */
ALPHACUT_C_API const char* alphacut_cutout_warning(const alphacut_cutout* cutout, size_t index); /* NULL: no more */

#ifdef __cplusplus
}
#endif

#endif
