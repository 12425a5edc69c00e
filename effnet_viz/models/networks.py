"""An entry of the zoo to its network with its weights, as PyTorch has it."""

from __future__ import annotations

from effnet_viz.engines.network import Network
from effnet_viz.models import architectures, variants
from effnet_viz.models.checkpoints import load_state_dict
from effnet_viz.models.identity import id_of
from effnet_viz.models.weights import WeightFile, WeightsError
from effnet_viz.models.zoo import ModelEntry


def network_of(key: str, weights: str) -> Network:
    """The network of a ModelId, new. Raises WeightsError when the file is another one now."""
    entry = variants.find(key)
    network, file = load_network(entry, weights.startswith("untrained"))
    if id_of(entry, file).weights != weights:
        raise WeightsError(f"The weights of {entry.title} were replaced while they were in use.")
    return network


def load_network(entry: ModelEntry, untrained: bool) -> tuple[Network, WeightFile | None]:
    """The network of an entry, new, and the file of its weights. Raises WeightsError."""
    state, file = (None, None) if untrained else load_state_dict(entry)
    return architectures.build(entry, state), file


def same_network(entry: ModelEntry, file: WeightFile | None) -> Network:
    """The network with the weights of this file, new. Raises WeightsError for another file now."""
    network, now = load_network(entry, untrained=file is None)
    if now != file:
        raise WeightsError(
            f"The weights of {entry.title} were replaced while they were in use. Load the model "
            "again."
        )
    return network
