# Rank the carriers of a route by how likely they are on time in a week.
model(
    name = "ranker",
    features = "//features:route_week",
    fn = "train.py:train",
    label = "relevance",
    params = {
        "feature_fraction": 0.7,
        "learning_rate": 0.05,
        "min_data_in_leaf": 40,
        "num_leaves": 15,
        "patience": 40,
        "rounds": 400,
    },
    predict = "train.py:predict",
    query = [
        "origin",
        "dest",
        "week",
    ],
    seed = 7,
    train = "//data:by_time.train",
    valid = "//data:by_time.valid",
)

# Whoever was on time last week.
baseline(
    name = "last_week",
    predict = "train.py:predict_last_week",
)

# Measured: NDCG@3 0.9627 [0.9568, 0.9682] (95 %, 1,000 resamples of the 781 queries of November and December), last week
# 0.9475 [0.9402, 0.9541], paired gain +0.0153 [+0.0093, +0.0220].
evaluation(
    name = "quality",
    baseline = ":last_week",
    bootstrap = 1000,
    data = "//data:by_time.test",
    gates = [
        # The lower end of the interval, 0.9568: luck alone seldom passes it.
        {
            "metric": "ndcg@3",
            "min": 0.95,
            "confidence": 0.95,
        },
        {
            "metric": "ndcg@3",
            "versus": "baseline",
            "min_gain": 0.0,
            "confidence": 0.95,
        },
        # No airport is sacrificed for another; the worst is LGA with 0.9579 [0.9449, 0.9691].
        {
            "metric": "ndcg@3",
            "slices": "origin",
            "min": 0.93,
        },
    ],
    metrics = [
        "ndcg@1",
        "ndcg@3",
    ],
    model = ":ranker",
    slices = [
        "origin",
        "month",
    ],
)
