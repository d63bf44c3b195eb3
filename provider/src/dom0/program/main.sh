main "$@"
exit
