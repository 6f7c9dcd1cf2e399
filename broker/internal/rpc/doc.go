// Package rpc is what passes between a daemon and its clients: frames, the
// encoding of what they carry, and the table of the methods that a client may
// ask for.
//
// A connection is a stream of frames, each a kind, the length of its payload
// and the payload:
//
//	kind u8 | length u32 | payload, at most 64 KiB
//
// A client begins with a hello, which the server answers with its own. Both say
// by which table of methods they were built: of another one nothing would be
// understood, and all that such a client may do is have the daemon stop. Then
// the client asks for one method after the other, and the server answers each
// with a reply, before which may come what the method sends while it works:
//
//	client   hello   request ............. request .. cancel ........ stop
//	server   hello     stage begin data reply     progress  reply
//
// A request, a reply, the beginning of an answer, a question and what answers it
// are messages: a frame whose payload starts with the length of the message, and
// as many data frames after it as the rest needs. Any other data frame is a
// piece of an answer's body. A client that goes away, or closes its half of the
// connection, has canceled what it asked for.
//
// Either side may be hostile to the other, as anybody may have the socket open.
// What is read is bounded before it is kept, and memory is taken for what has
// come, not for what was announced; what is not exactly as it would have been
// written ends the connection. Buffers are cleared after use, as keys and values
// of secrets pass through them.
package rpc
