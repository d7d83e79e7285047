// All of alphacut: from a picture to its cutout (session.hpp), and every stage alone.
//
//   const alphacut::Cutout cutout = alphacut::remove_background(alphacut::packed(pixels, height, width, 3));
//
// Pictures are views of the caller's memory (image.hpp): RGB or gray, uint8 0..255, uint16 0..65535 or float 0..1.
// Functions write into views that the caller makes, of the size they say; an input must not overlap an output unless a
// header allows it. What is out of range, or does not fit, throws std::invalid_argument and writes nothing of use;
// std::bad_alloc where there is no memory. Nothing is printed. Functions may be called from many threads at once unless
// their header says otherwise; members of one object only where its header says so. The same input gives the same bytes
// for every instruction set and number of threads.
#pragma once

#include "alphacut/border.hpp"
#include "alphacut/buffer_pool.hpp"
#include "alphacut/cancel.hpp"
#include "alphacut/chromakey.hpp"
#include "alphacut/color.hpp"
#include "alphacut/components.hpp"
#include "alphacut/composite.hpp"
#include "alphacut/foreground.hpp"
#include "alphacut/graphcut.hpp"
#include "alphacut/image.hpp"
#include "alphacut/info.hpp"
#include "alphacut/kmeans.hpp"
#include "alphacut/kmeans_points.hpp"
#include "alphacut/matting.hpp"
#include "alphacut/morphology.hpp"
#include "alphacut/network.hpp"
#include "alphacut/parallel.hpp"
#include "alphacut/preprocess.hpp"
#include "alphacut/reconstruction.hpp"
#include "alphacut/session.hpp"
#include "alphacut/shadow.hpp"
#include "alphacut/subject.hpp"
#include "alphacut/superpixels.hpp"
#include "alphacut/threshold.hpp"
#include "alphacut/tracker.hpp"
#include "alphacut/version.h"
