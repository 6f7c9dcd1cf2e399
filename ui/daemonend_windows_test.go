package ui_test

func holdsLock(string) bool { return false } // there is no daemon on Windows
