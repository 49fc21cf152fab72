"""The rules that every BUILD file sees without `load`."""

load("@mlbuild//rules/core:alias.bzl", _alias = "alias")
load("@mlbuild//rules/core:config_setting.bzl", _config_setting = "config_setting")
load("@mlbuild//rules/core:filegroup.bzl", _filegroup = "filegroup")
load("@mlbuild//rules/core:genrule.bzl", _genrule = "genrule")
load("@mlbuild//rules/core:toolchain.bzl", _toolchain = "toolchain", _toolchain_type = "toolchain_type")
load("@mlbuild//rules/core:write_file.bzl", _write_file = "write_file")
load("@mlbuild//rules/ml:baseline.bzl", _baseline = "baseline")
load("@mlbuild//rules/ml:data_contract.bzl", _data_contract = "data_contract")
load("@mlbuild//rules/ml:dataset.bzl", _dataset = "dataset")
load("@mlbuild//rules/ml:evaluation.bzl", _evaluation = "evaluation")
load("@mlbuild//rules/ml:features.bzl", _features = "features")
load("@mlbuild//rules/ml:model.bzl", _model = "model")
load("@mlbuild//rules/ml:split.bzl", _split = "split")
load("@mlbuild//rules/nix:toolchain.bzl", _nix_toolchain = "nix_toolchain")
load("@mlbuild//rules/python:binary.bzl", _py_binary = "py_binary")
load("@mlbuild//rules/python:env.bzl", _py_env = "py_env")
load("@mlbuild//rules/python:http_file.bzl", _http_file = "http_file")
load("@mlbuild//rules/python:library.bzl", _py_library = "py_library")
load("@mlbuild//rules/python:test.bzl", _py_test = "py_test")
load("@mlbuild//rules/python:wheel.bzl", _py_wheel = "py_wheel")
load("@mlbuild//rules/python:wheel_file.bzl", _wheel_file = "wheel_file")

alias = _alias
baseline = _baseline
config_setting = _config_setting
data_contract = _data_contract
dataset = _dataset
evaluation = _evaluation
features = _features
filegroup = _filegroup
genrule = _genrule
http_file = _http_file
model = _model
nix_toolchain = _nix_toolchain
py_binary = _py_binary
py_env = _py_env
py_library = _py_library
py_test = _py_test
py_wheel = _py_wheel
split = _split
toolchain = _toolchain
toolchain_type = _toolchain_type
wheel_file = _wheel_file
write_file = _write_file
