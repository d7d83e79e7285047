"""alphacut: finds the subject of a picture, cuts it out, refines the edge and composes the result.

Every stage is a module and can be called alone; :func:`remove_background` runs them all.
"""

from . import _interpreter  # noqa: F401

# isort: split
from . import _core
from ._device import DeviceUnavailableError, info
from ._sdk import get_cmake_dir, get_include
from .cancel import Cancelled, CancelToken
from .chromakey import KeyColor, chroma_key, despill, find_key
from .clustering import KMeans, kmeans, kmeans_points
from .components import (
    Components,
    ComponentShapes,
    ComponentStats,
    Polygon,
    component_shapes,
    component_stats,
    fill_holes,
    keep_largest,
    keep_touching,
    label_components,
    mask_to_polygons,
    mask_to_rle,
    remove_small,
    rle_to_mask,
)
from .compositing import composite, decode_srgb, encode_srgb, premultiply, unpremultiply
from .cutout import Cutout
from .files import DecodeError, Picture, TooManyPixelsError, read_image, read_labels, read_mask, write_image
from .foreground import Layers, estimate_foreground
from .geometry import Geometry
from .graphcut import AlphaExpansion, GrabCut, GraphCut, alpha_expansion, grabcut, graph_cut
from .matting import Distances, adjust_edge, distance_transform, guided_filter, make_trimap, refine_alpha
from .model import Instance, Model
from .morphological import morphology, reconstruct
from .preprocess import denoise, gaussian_blur, resize, rgb_to_lab, unsharp_mask, white_balance
from .remover import Remover, remove_background
from .session import Session
from .shadow import Shadow, cast_shadow
from .subject import barrier_map, detect_subject
from .superpixels import Superpixels, slic
from .threads import get_num_threads, set_num_threads
from .thresholding import adaptive_limit, adaptive_threshold, find_threshold, hysteresis_threshold, threshold
from .tracker import Tracker

__version__ = _core.version()

__all__ = [
    "AlphaExpansion",
    "CancelToken",
    "Cancelled",
    "ComponentShapes",
    "ComponentStats",
    "Components",
    "Cutout",
    "DecodeError",
    "DeviceUnavailableError",
    "Distances",
    "Geometry",
    "GrabCut",
    "GraphCut",
    "Instance",
    "KMeans",
    "KeyColor",
    "Layers",
    "Model",
    "Picture",
    "Polygon",
    "Remover",
    "Session",
    "Shadow",
    "Superpixels",
    "TooManyPixelsError",
    "Tracker",
    "adaptive_limit",
    "adaptive_threshold",
    "adjust_edge",
    "alpha_expansion",
    "barrier_map",
    "cast_shadow",
    "chroma_key",
    "component_shapes",
    "component_stats",
    "composite",
    "decode_srgb",
    "denoise",
    "despill",
    "detect_subject",
    "distance_transform",
    "encode_srgb",
    "estimate_foreground",
    "fill_holes",
    "find_key",
    "find_threshold",
    "gaussian_blur",
    "get_cmake_dir",
    "get_include",
    "get_num_threads",
    "grabcut",
    "graph_cut",
    "guided_filter",
    "hysteresis_threshold",
    "info",
    "keep_largest",
    "keep_touching",
    "kmeans",
    "kmeans_points",
    "label_components",
    "make_trimap",
    "mask_to_polygons",
    "mask_to_rle",
    "morphology",
    "premultiply",
    "read_image",
    "read_labels",
    "read_mask",
    "reconstruct",
    "refine_alpha",
    "remove_background",
    "remove_small",
    "resize",
    "rgb_to_lab",
    "rle_to_mask",
    "set_num_threads",
    "slic",
    "threshold",
    "unpremultiply",
    "unsharp_mask",
    "white_balance",
    "write_image",
]
