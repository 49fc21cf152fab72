import sys
from pathlib import Path

import numpy as np
import xgboost

rows = np.random.default_rng(1).normal(size=(500, 10))
labels = (rows[:, 0] + rows[:, 1] > 0).astype(int)
trees = xgboost.train({"objective": "binary:logistic", "nthread": 1}, xgboost.DMatrix(rows, labels), 5)
Path(sys.argv[1]).write_bytes(trees.save_raw("json"))
