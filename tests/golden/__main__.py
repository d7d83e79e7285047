"""``python -m golden`` (from tests/): writes the digests anew, and says which changed. Say why in the commit."""

import json
from pathlib import Path

from . import flow
from .calls import CALLS, digest

path = Path(__file__).with_name("digests.json")
before = json.loads(path.read_text()) if path.exists() else {}
after = {name: digest(call()) for name, call in CALLS.items()}
path.write_text(json.dumps(after, indent=2) + "\n")
changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
print(f"{len(changed)} of {len(after)} changed: {', '.join(changed)}")
flow.PATH.write_text(flow.text())
