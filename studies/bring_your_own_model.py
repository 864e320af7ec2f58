"""A torch model of one's own, with its own data: described, pruned, quantised, measured and searched."""

import numpy as np
import torch
from torch import Tensor, nn

import paretoopt as po

N_USERS, N_ITEMS, N_ROWS = 500, 2_000, 20_000


class ClickModel(nn.Module):
    """Stands for a model from elsewhere: nothing in it knows of paretoopt."""

    def __init__(self, width: int) -> None:
        """Make the layers."""
        super().__init__()
        self.users, self.items = nn.Embedding(N_USERS, width), nn.Embedding(N_ITEMS, width)
        self.hidden, self.output = nn.Linear(2 * width, 128), nn.Linear(128, 1)

    def forward(self, user: Tensor, item: Tensor) -> Tensor:
        """The logit of a click for each row."""
        pair = torch.cat([self.users(user), self.items(item)], dim=-1)
        return torch.squeeze(self.output(torch.relu(self.hidden(pair))), -1)


@po.reads(po.Parameter("width", default=32))
def build(params: po.Params, data: po.SplitExamples, seed: int) -> ClickModel:
    """The untrained model."""
    torch.manual_seed(seed)
    return ClickModel(int(params["width"]))


def my_data() -> po.SplitExamples:
    """Who clicked on what; read your own arrays here."""
    random = np.random.default_rng(0)
    user, item = random.integers(0, N_USERS, N_ROWS), random.integers(0, N_ITEMS, N_ROWS)
    clicked = user % 7 + item % 5 + random.normal(size=N_ROWS) > 5
    return po.split_examples({"user": user, "item": item}, clicked.astype(np.float32))


if __name__ == "__main__":
    data, task = my_data(), po.Supervised(nn.functional.binary_cross_entropy_with_logits)
    settings = po.TrainingSettings(epochs=6, patience=2, learning_rate=5e-3)
    export = po.export_onnx(outputs=["logit"])
    pipeline = po.Pipeline(
        data=data,
        build=build,
        stages=[po.fit(task, settings), po.prune(), po.fine_tune(task, settings), export, po.quantize()],
        measures=[po.output_quality({"auc": po.auc}, output="logit"), po.latency(), po.memory()],
        requests=data.requests(),
        store="bring_your_own_model",
    )
    print(po.describe(pipeline, {"pruning_ratio": 0.5, "bits": 8}))
    space = po.SearchSpace(width=po.Ordered(8, 32), pruning_ratio=po.Ordered(0.0, 0.5), bits=po.Ordered(32, 8, 4))
    study = po.create_study(space, objectives=[po.maximize("auc"), po.minimize("artifact_mib")])
    study.optimize(pipeline, n_trials=6)
    columns = ["width", "pruning_ratio", "linear_bits", "auc", "artifact_mib", "latency_p95_ms"]
    print(study.pareto_front().to_frame()[columns])
