import sys
from pathlib import Path

import lightgbm
import numpy as np
from sklearn.linear_model import LogisticRegression

rows = np.random.default_rng(1).normal(size=(500, 10))
labels = (rows[:, 0] + rows[:, 1] > 0).astype(int)
linear = LogisticRegression().fit(rows, labels)
trees = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, lightgbm.Dataset(rows, labels), 5)
Path(sys.argv[1]).write_text(repr(linear.coef_.tolist()) + trees.model_to_string())
