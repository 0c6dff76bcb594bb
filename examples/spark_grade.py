"""Grades the calls of Parquet files on Apache Spark and writes their verdicts as Parquet.

spark-submit --master spark://HOST:7077 --py-files callgrade.zip --files callgrade examples/spark_grade.py --script ID IN OUT

callgrade.zip is the Python package (python3 -m zipfile -c callgrade.zip python/src/callgrade), callgrade the program.
"""

import argparse

from pyspark.sql import SparkSession

from callgrade.spark import grade

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--script", help="the script of calls that name none; ID@VERSION also fixes the version")
parser.add_argument("--against", help="another script that grades each call too: what it says stands in the column before")
parser.add_argument("calls", metavar="IN", help="Parquet, a row a call or a row an event")
parser.add_argument("verdicts", metavar="OUT", help="a folder that there is not yet")
given = parser.parse_args()

session = SparkSession.builder.appName("callgrade").getOrCreate()
verdicts = grade(session.read.parquet(given.calls), script=given.script, against=given.against)
verdicts.write.parquet(given.verdicts)
