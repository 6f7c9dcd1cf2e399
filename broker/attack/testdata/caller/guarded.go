//go:build !unguarded

package main

import _ "aivault/ui/guard" // cleans the environment before anything reads it
