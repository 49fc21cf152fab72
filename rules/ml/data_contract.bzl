"""`data_contract`: what a table promises, checked before anything is made of it."""

load("@mlbuild//rules/ml:private/data_contract.bzl", _data_contract = "data_contract")

def data_contract(name, columns = {}, **kwargs):
    """What a table promises. Whoever takes the contract as `data` waits until it holds.

    An `in` that is text names a column of another table: `{"carrier": {"in": ":airlines.carrier"}}`.
    """
    domains = []
    domain_of = []
    domain_columns = []
    resolved = {}
    for column, rules in columns.items():
        resolved[column] = dict(rules)
        domain = rules.get("in")
        if type(domain) == "string":
            label, dot, domain_column = domain.rpartition(".")
            if not dot:
                fail("`in` of column `%s` is `%s`: write a list, or `LABEL.COLUMN` for another table's column" % (column, domain))
            resolved[column]["in"] = {"domain": len(domain_of)}
            if label not in domains:
                domains.append(label)
            domain_of.append(domains.index(label))
            domain_columns.append(domain_column)
    _data_contract(
        name = name,
        columns = resolved,
        domains = domains,
        domain_of = domain_of,
        domain_columns = domain_columns,
        **kwargs
    )
