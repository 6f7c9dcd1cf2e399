//go:build !unguarded

package main

import _ "aivault/ui/guard"
