// Labels that change in a few rows: what is told of each row, and what a refused or cancelled change leaves.
#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <vector>

#include "alphacut/cancel.hpp"
#include "alphacut/parallel.hpp"
#include "check.hpp"
#include "label_rows.hpp"

using namespace alphacut;
using detail::LabelRows;

namespace {

Image<uint8_t> filled(int64_t height, int64_t width, uint8_t label) {
  Image<uint8_t> labels(height, width);
  std::fill_n(labels.data(), labels.pixels(), label);
  return labels;
}

void rows_are_told_of() {
  LabelRows rows;
  Image<uint8_t> labels = filled(5, 8, 0);
  labels.row(1)[3] = 2;
  labels.row(1)[5] = 1;
  labels.row(4)[7] = 3;
  rows.take(labels);
  CHECK(rows.row(0).kinds == 1 && rows.row(0).last < 0);
  CHECK(rows.row(1).kinds == 7 && rows.row(1).first == 3 && rows.row(1).last == 5);
  CHECK(rows.row(4).kinds == 9 && rows.row(4).first == 7 && rows.row(4).last == 7);
  CHECK(*detail::bounding_box(rows) == Box{3, 1, 5, 4});
  const uint64_t before = rows.version();
  labels.row(2)[0] = 1;
  rows.take(labels);
  CHECK(rows.changed_since(before) == std::vector<uint8_t>{0, 0, 1, 0, 0});
  CHECK(rows.changed_since(std::nullopt) == std::vector<uint8_t>(5, 1));
  CHECK(rows.labels().row(2)[0] == 1);
}

void kinds_alone() {
  LabelRows rows;
  Image<uint8_t> labels = filled(6, 6, 2);
  labels.row(3)[3] = 1;
  rows.take(labels);
  CHECK(detail::only_kind(rows, false) == 1);
  labels.row(3)[3] = 0;
  rows.take(labels);
  CHECK(detail::only_kind(rows, false) == 0);
  labels.row(0)[0] = 1;
  rows.take(labels);
  CHECK(!detail::only_kind(rows, false));
}

void what_is_refused_changes_nothing() {
  LabelRows rows;
  Image<uint8_t> labels = filled(4, 4, 2);
  rows.take(labels);
  const uint64_t before = rows.version();
  labels.row(2)[2] = 4;
  CHECK_THROWS(std::invalid_argument, rows.take(labels));
  CHECK(rows.version() == before && rows.labels().row(2)[2] == 2 && rows.row(2).kinds == 4);
}

void another_size_is_new() {
  LabelRows rows;
  rows.take(filled(4, 4, 2));
  const uint64_t before = rows.version();
  rows.take(filled(4, 5, 2));
  CHECK(rows.changed_since(before) == std::vector<uint8_t>(4, 1));
}

// Cancelled at any of its checks: what is taken next is as in rows that saw nothing else.
void cancelled_changes_are_seen() {
  set_num_threads(1);
  const int64_t height = 64, width = 1 << 15;  // several blocks
  const Image<uint8_t> first = filled(height, width, 2), second = filled(height, width, 1);
  for (int64_t limit = 1; limit < 40; ++limit) {
    LabelRows rows;
    rows.take(first);
    const uint64_t before = rows.version();
    int64_t left = limit;
    bool ended = false;
    {
      const CancelScope scope([&] { return --left == 0; }, std::chrono::milliseconds(0));
      try {
        rows.take(second);
      } catch (const Cancelled&) {
        ended = true;
      }
    }
    rows.take(second);
    CHECK(rows.changed_since(before) == std::vector<uint8_t>(static_cast<size_t>(height), 1));
    CHECK(rows.row(height / 2).kinds == 2 && rows.labels().row(height - 1)[width - 1] == 1);
    if (!ended) return;
  }
  CHECK(false);  // never whole
}

}  // namespace

int main() {
  rows_are_told_of();
  kinds_alone();
  what_is_refused_changes_nothing();
  another_size_is_new();
  cancelled_changes_are_seen();
  return check::result();
}
