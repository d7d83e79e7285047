// What twins of k-means and GrabCut on another device share with the CPU's.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "alphacut/image.hpp"

namespace alphacut {

// The steps of k-means before its loop. The seed of an attempt, from 0:
uint64_t kmeans_attempt_seed(uint64_t seed, int64_t attempt);
// the raster indices of the samples:
std::vector<int64_t> kmeans_samples(int64_t pixels, uint64_t seed);
// and the k-means++ centres, n_clusters * channels values, of samples given as a picture in that order.
std::vector<int32_t> kmeans_seed(ImageView<const uint8_t> samples, int64_t n_clusters, uint64_t seed);
std::vector<int32_t> kmeans_seed(ImageView<const float> samples, int64_t n_clusters, uint64_t seed);

// Where the rounds start and end, by size of the picture; the largest is the picture's own.
struct GrabCutPlan {
  std::vector<std::array<int64_t, 2>> sizes;  // height and width, the smallest first
  std::vector<Box> boxes;                     // `box` at each; none without one
  std::vector<std::string> warnings;
};
GrabCutPlan plan_grabcut(int64_t height, int64_t width, std::optional<Box> box);

}  // namespace alphacut
