package writ.bad

deny contains "x" if true
