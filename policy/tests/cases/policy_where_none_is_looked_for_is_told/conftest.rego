package main

deny contains "another tool's" if true
