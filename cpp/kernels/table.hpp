// What each instruction set exports: one constant table of row kernels, grouped by stage.
// A kernel works on plain rows (pointers and counts), has no state and never fails.
#pragma once

#include "chromakey.hpp"
#include "color.hpp"
#include "components.hpp"
#include "composite.hpp"
#include "foreground.hpp"
#include "graphcut.hpp"
#include "guided.hpp"
#include "kmeans.hpp"
#include "matting.hpp"
#include "morphology.hpp"
#include "network.hpp"
#include "preprocess.hpp"
#include "subject.hpp"
#include "superpixels.hpp"
#include "threshold.hpp"

namespace alphacut {

struct Kernels {
  const char* isa;
  ColorKernels color;
  PreprocessKernels preprocess;
  SubjectKernels subject;
  ThresholdKernels threshold;
  MorphologyKernels morphology;
  ComponentsKernels components;
  KmeansKernels kmeans;
  SuperpixelsKernels superpixels;
  GraphcutKernels graphcut;
  ChromakeyKernels chromakey;
  MattingKernels matting;
  GuidedKernels guided;
  ForegroundKernels foreground;
  CompositeKernels composite;
  NetworkKernels network;
};

}  // namespace alphacut
