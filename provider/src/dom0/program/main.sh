main "$@"
# What failed has ended before, with its status; an answer that nobody reads any more is no failure.
exit 0
