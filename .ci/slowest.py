"""Prints the ten test classes that took longest, from the TRX files of a folder: seconds, tests, class."""
import collections
import pathlib
import sys
import xml.etree.ElementTree as ElementTree

TRX = "{http://microsoft.com/schemas/VisualStudio/TeamTest/2010}"
seconds, tests = collections.Counter(), collections.Counter()
for file in pathlib.Path(sys.argv[1]).glob("*.trx"):
    run = ElementTree.parse(file).getroot()
    class_of = {test.get("id"): test.find(TRX + "TestMethod").get("className") for test in run.iter(TRX + "UnitTest")}
    for result in run.iter(TRX + "UnitTestResult"):
        hours, minutes, rest = result.get("duration", "0:0:0").split(":")
        name = class_of[result.get("testId")]
        seconds[name] += int(hours) * 3600 + int(minutes) * 60 + float(rest)
        tests[name] += 1
for name, spent in seconds.most_common(10):
    print(f"{spent:7.1f} {tests[name]:5} {name}")
