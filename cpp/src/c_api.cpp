// The C API: words and pointers in, statuses and messages out.
#include <array>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <limits>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "alphacut/alphacut.h"
#include "alphacut/alphacut.hpp"

struct alphacut_network {
  alphacut::Network network;
};
struct alphacut_session {
  alphacut::Session session;
};
struct alphacut_cutout {
  alphacut::Cutout cutout;
};

namespace {

using alphacut::AnyView;
using alphacut::ImageView;

// Of the thread's latest failure. A fixed array: it must hold when there is no memory.
thread_local std::array<char, 512> error{};

alphacut_status failed(alphacut_status status, const char* message) {
  std::strncpy(error.data(), message, error.size() - 1);
  return status;
}

template <class F>
alphacut_status guarded(F&& work) {
  try {
    work();
    return ALPHACUT_OK;
  } catch (const std::invalid_argument& problem) {
    return failed(ALPHACUT_INVALID_ARGUMENT, problem.what());
  } catch (const alphacut::Cancelled& cancelled) {
    return failed(ALPHACUT_CANCELLED, cancelled.what());
  } catch (const std::bad_alloc&) {
    return failed(ALPHACUT_OUT_OF_MEMORY, "there is not enough memory");
  } catch (const std::exception& problem) {
    return failed(ALPHACUT_ERROR, problem.what());
  } catch (...) {
    return failed(ALPHACUT_ERROR, "an unknown error");
  }
}

// `work`, or `otherwise` if it fails.
template <class T, class F>
T guarded_or(T otherwise, F&& work) {
  guarded([&] { otherwise = work(); });
  return otherwise;
}

void require(bool holds, const std::string& message) {
  if (!holds) throw std::invalid_argument(message);
}

template <class T>
void require_given(const T* pointer, const char* name) {
  require(pointer != nullptr, std::string(name) + " must not be NULL");
}

template <class T>
ImageView<const T> view_of(const alphacut_image& image, const char* name) {
  constexpr int64_t limit = std::numeric_limits<int64_t>::max() / 8;
  const bool sized = image.height > 0 && image.width > 0 && image.channels > 0 && image.channels <= 4 &&
                     image.width <= limit / 4 && image.height <= limit / (image.width * image.channels);
  require(sized, std::string(name) + " must have 1 to 4 channels and no side below 1");
  ImageView<const T> view{static_cast<const T*>(image.data), image.height, image.width, image.channels};
  if (image.stride != 0) view.stride = static_cast<ptrdiff_t>(image.stride);
  require(view.stride % static_cast<ptrdiff_t>(alignof(T)) == 0 &&
              reinterpret_cast<uintptr_t>(image.data) % alignof(T) == 0,
          std::string(name) + " must be aligned as its values are");
  return view;
}

// A plane that may be left out.
template <class T>
ImageView<const T> plane_of(const alphacut_image& image, alphacut_depth depth, const char* name) {
  if (image.data == nullptr) return {};
  require(image.depth == depth && image.channels == 1,
          std::string(name) + " must have one channel of " + (depth == ALPHACUT_UINT8 ? "uint8" : "float"));
  return view_of<T>(image, name);
}

AnyView picture_of(const alphacut_image* image) {
  require_given(image, "image");
  require_given(image->data, "image.data");
  switch (image->depth) {
    case ALPHACUT_UINT8:
      return view_of<uint8_t>(*image, "image");
    case ALPHACUT_UINT16:
      return view_of<uint16_t>(*image, "image");
    case ALPHACUT_FLOAT32:
      return view_of<float>(*image, "image");
  }
  throw std::invalid_argument("image.depth is unknown");
}

template <class E>
E word(const char* given, const char* name, std::initializer_list<std::pair<const char*, E>> words) {
  require_given(given, name);
  std::string accepted;
  for (const auto& [text, value] : words) {
    if (std::strcmp(given, text) == 0) return value;
    accepted += (accepted.empty() ? "" : ", ") + std::string(text);
  }
  throw std::invalid_argument(std::string(name) + " '" + given + "' is none of " + accepted);
}

alphacut::SessionOptions options_of(const alphacut_options* given) {
  alphacut_options defaults;
  alphacut_options_init(&defaults);
  const alphacut_options& from = given != nullptr ? *given : defaults;
  require(from.size == sizeof(alphacut_options), "options must be made by alphacut_options_init");
  using enum alphacut::CutMethod;
  using alphacut::MattingMethod;
  alphacut::SessionOptions options;
  options.method = word<alphacut::CutMethod>(from.method, "method",
                                             {{"auto", automatic},
                                              {"graphcut", graphcut},
                                              {"kmeans", kmeans},
                                              {"threshold", alphacut::CutMethod::threshold},
                                              {"key", key}});
  if (!word<bool>(from.subject, "subject", {{"auto", true}, {"learned", true}, {"barrier", false}}))
    options.network = nullptr;
  else if (from.network != nullptr)
    options.network = [own = &from.network->network]() -> const alphacut::Network& { return *own; };
  const int refine = word<int>(from.refine, "refine",
                               {{"auto", -1},
                                {"none", -2},
                                {"guided", static_cast<int>(MattingMethod::guided)},
                                {"sampled", static_cast<int>(MattingMethod::sampled)},
                                {"closed_form", static_cast<int>(MattingMethod::closed_form)}});
  options.refine = refine != -2;
  if (refine >= 0) options.refinement = static_cast<MattingMethod>(refine);
  if (!(from.similarity < 0)) options.similarity = from.similarity;
  if (!(from.blend < 0)) options.blend = from.blend;
  options.despill = from.despill != 0;
  options.edge_shift = from.edge_shift;
  options.edge_feather = from.edge_feather;
  options.clean = from.clean != 0;
  options.foreground = from.foreground != 0;
  if (from.denoise != 0) options.preparations.push_back(alphacut::Preparation::denoise);
  if (from.white_balance != 0) options.preparations.push_back(alphacut::Preparation::white_balance);
  options.seed = from.seed;
  return options;
}

alphacut::Prompt prompt_of(const alphacut_prompt* from) {
  alphacut::Prompt prompt;
  if (from == nullptr) return prompt;
  require(from->size == sizeof(alphacut_prompt), "prompt must be made by alphacut_prompt_init");
  if (from->box != nullptr) prompt.box = alphacut::Box{from->box->x, from->box->y, from->box->width, from->box->height};
  require(from->points != nullptr || from->n_points == 0, "points must not be NULL");
  for (size_t i = 0; i < from->n_points; ++i)
    prompt.points.push_back({from->points[i].x, from->points[i].y, from->points[i].keep != 0});
  prompt.labels = plane_of<uint8_t>(from->labels, ALPHACUT_UINT8, "labels");
  prompt.mask = plane_of<uint8_t>(from->mask, ALPHACUT_UINT8, "mask");
  prompt.trimap = plane_of<uint8_t>(from->trimap, ALPHACUT_UINT8, "trimap");
  prompt.prior = plane_of<float>(from->prior, ALPHACUT_FLOAT32, "prior");
  if (from->key != nullptr) prompt.key = alphacut::KeyColor{{from->key[0], from->key[1], from->key[2]}};
  return prompt;
}

template <class T>
alphacut_depth depth_of() {
  return sizeof(T) == 1 ? ALPHACUT_UINT8 : sizeof(T) == 2 ? ALPHACUT_UINT16 : ALPHACUT_FLOAT32;
}

template <class T>
alphacut_image image_of(ImageView<const T> view) {
  return {view.data, view.height, view.width, view.channels, view.stride, depth_of<T>()};
}

}  // namespace

const char* alphacut_last_error(void) { return error.data(); }
const char* alphacut_version(void) { return alphacut::version(); }

int alphacut_num_threads(void) {
  return guarded_or(0, [] { return alphacut::num_threads(); });
}
alphacut_status alphacut_set_num_threads(int count) {
  return guarded([&] { alphacut::set_num_threads(count); });
}

const char* alphacut_available_isa(int index) {
  return guarded_or<const char*>(nullptr, [&]() -> const char* {
    static const std::vector<std::string> names = alphacut::available_isas();
    return index < 0 || static_cast<size_t>(index) >= names.size() ? nullptr
                                                                   : names[static_cast<size_t>(index)].c_str();
  });
}
const char* alphacut_isa(void) {
  return guarded_or<const char*>(nullptr, []() -> const char* {
    const std::string used = alphacut::info().isa;
    for (int i = 0; const char* name = alphacut_available_isa(i); ++i)
      if (used == name) return name;
    return nullptr;
  });
}
alphacut_status alphacut_set_isa(const char* name) {
  return guarded([&] {
    require_given(name, "name");
    alphacut::set_isa(name);
  });
}

alphacut_status alphacut_network_load(const void* file, size_t size, alphacut_network** network) {
  return guarded([&] {
    require_given(file, "file");
    require_given(network, "network");
    *network = new alphacut_network{alphacut::Network(std::span(static_cast<const std::byte*>(file), size))};
  });
}
void alphacut_network_free(alphacut_network* network) { delete network; }

void alphacut_options_init(alphacut_options* options) {
  if (options == nullptr) return;
  *options = {};
  options->size = sizeof(alphacut_options);
  options->method = options->subject = options->refine = "auto";
  options->similarity = options->blend = -1;
  options->clean = options->foreground = 1;
}
void alphacut_prompt_init(alphacut_prompt* prompt) {
  if (prompt == nullptr) return;
  *prompt = {};
  prompt->size = sizeof(alphacut_prompt);
}

alphacut_status alphacut_session_open(const alphacut_image* image, const alphacut_options* options,
                                      alphacut_session** session) {
  return guarded([&] {
    require_given(session, "session");
    *session = new alphacut_session{alphacut::Session(picture_of(image), options_of(options))};
  });
}
void alphacut_session_free(alphacut_session* session) { delete session; }

alphacut_status alphacut_session_cut(alphacut_session* session, const alphacut_prompt* prompt, int resume,
                                     alphacut_cutout** cutout) {
  return guarded([&] {
    require_given(session, "session");
    require_given(cutout, "cutout");
    *cutout = new alphacut_cutout{session->session.cut(prompt_of(prompt), resume != 0)};
  });
}

void alphacut_session_cancel(alphacut_session* session) {
  if (session != nullptr) guarded([&] { session->session.cancel(); });
}

alphacut_status alphacut_remove_background(const alphacut_image* image, const alphacut_prompt* prompt,
                                           const alphacut_options* options, alphacut_cutout** cutout) {
  return guarded([&] {
    require_given(cutout, "cutout");
    *cutout =
        new alphacut_cutout{alphacut::remove_background(picture_of(image), prompt_of(prompt), options_of(options))};
  });
}
void alphacut_cutout_free(alphacut_cutout* cutout) { delete cutout; }

alphacut_image alphacut_cutout_mask(const alphacut_cutout* cutout) {
  return cutout == nullptr ? alphacut_image{} : image_of(cutout->cutout.mask.view());
}
alphacut_image alphacut_cutout_alpha(const alphacut_cutout* cutout) {
  if (cutout == nullptr) return {};
  return std::visit([](const auto& alpha) { return image_of(alpha.view()); }, cutout->cutout.alpha);
}

alphacut_status alphacut_cutout_rgba(const alphacut_cutout* cutout, const alphacut_image* image, void* rgba,
                                     int64_t stride) {
  return guarded([&] {
    require_given(cutout, "cutout");
    require_given(rgba, "rgba");
    const alphacut::AnyImage joined = alphacut::to_rgba(picture_of(image), cutout->cutout);
    std::visit(
        [&]<class T>(const alphacut::Image<T>& from) {
          const size_t bytes = static_cast<size_t>(from.width()) * 4 * sizeof(T);
          const auto step = stride != 0 ? static_cast<ptrdiff_t>(stride) : static_cast<ptrdiff_t>(bytes);
          for (int64_t y = 0; y < from.height(); ++y)
            std::memcpy(static_cast<std::byte*>(rgba) + y * step, from.row(y), bytes);
        },
        joined);
  });
}

int alphacut_cutout_box(const alphacut_cutout* cutout, alphacut_box* box) {
  if (cutout == nullptr || box == nullptr || !cutout->cutout.box) return 0;
  const alphacut::Box& found = *cutout->cutout.box;
  *box = {found.x, found.y, found.width, found.height};
  return 1;
}
double alphacut_cutout_confidence(const alphacut_cutout* cutout) {
  return cutout == nullptr ? 0 : cutout->cutout.confidence;
}
const char* alphacut_cutout_method(const alphacut_cutout* cutout) {
  return cutout == nullptr ? "" : cutout->cutout.method.c_str();
}
const char* alphacut_cutout_warning(const alphacut_cutout* cutout, size_t index) {
  if (cutout == nullptr || index >= cutout->cutout.warnings.size()) return nullptr;
  return cutout->cutout.warnings[index].c_str();
}
