package app

const openNonblock = 0 // opening does not wait
