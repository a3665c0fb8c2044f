"""Prints the plain CloudFormation that SAM makes of a template: transform.py <template>. Parameters have their defaults."""

import json
import os
import sys

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # the translator requires one, and calls nothing

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

with open(sys.argv[1], encoding="utf-8") as file:
    template = yaml_parse(file.read())
template["Globals"]["Function"]["CodeUri"] = "s3://packages/function.zip"  # a deploy replaces the sources with a URL like this
defaults = {name: p["Default"] for name, p in template["Parameters"].items() if "Default" in p}
json.dump(Translator({}, Parser()).translate(template, defaults), sys.stdout, indent=1)
