# One action for each month: it reads these columns of its own month and of the month before, and nothing else.
features(
    name = "route_week",
    columns = {
        "flights": [
            "year",
            "month",
            "day",
            "arr_delay",
            "dep_delay",
            "carrier",
            "tailnum",
            "origin",
            "dest",
        ],
        "planes": [
            "tailnum",
            "year",
            "seats",
        ],
        "weather": [
            "origin",
            "year",
            "month",
            "day",
            "visib",
            "wind_speed",
        ],
    },
    data = [
        "//data:checked",
        "//data:weather",
    ],
    fit = "route.py:on_time_rates",
    fit_columns = {"flights": [
        "carrier",
        "origin",
        "arr_delay",
    ]},
    fit_on = "//data:by_time.train",
    fn = "route.py:route_carrier_week",
    joins = ["//data:planes"],
    scope = "window(1)",
    visibility = ["//visibility:public"],
)
