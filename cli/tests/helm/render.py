"""Renders a chart: `render.py CHART NAMESPACE VALUES...`, JSON of {lint, schema, manifests} on standard output."""

import json
import sys

import helm_python as helm

path, namespace, *files = sys.argv[1:]
chart = helm.Chart.load(path)
values = {}
for file in files:
    with open(file) as text:
        values.update(helm.values_from_yaml(text.read()))
try:
    chart.validate_schema(values)
    schema = None
except helm.HelmError as error:
    schema = str(error)
found = helm.lint(path, values, namespace=namespace)
messages = [m for m in found["messages"] if m["severity"] >= 2]
rendered = {} if schema else chart.render(values, name="writ", namespace=namespace)
json.dump({"lint": messages, "schema": schema, "manifests": rendered}, sys.stdout)
