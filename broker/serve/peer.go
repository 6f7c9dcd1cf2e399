package serve

// A Peer is who is at the other end of a connection, as the kernel says.
type Peer struct {
	UID, PID int
	Operator bool // the vault's owner, who may do everything; others may only invoke
}
