# METADATA
# title: What a review asks
# description: >-
#   Every rule of a package is evaluated when one of them is asked for; these cost next to nothing.
package writ.lib.reviews

is_deletion if input.review.operation == "DELETE"

# The object of the review; undefined for deletions, which take something away: nothing that is wrong with an object
# is a reason to keep it.
judged := input.review.object if not is_deletion
