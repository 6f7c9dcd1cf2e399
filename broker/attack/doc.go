// Package attack holds the broker to its list of attacks: for each there is a
// test that makes it, end to end, through a broker on a real vault and with an
// upstream that records what it gets. The package has no other code.
//
// Four things must hold after every call, whatever came of it, and the tests
// check them for each one:
//
//	I1  no secret shows, in whatever form: not in the answer, the error, the
//	    audit log or a file of the vault; but it is where it belongs in what
//	    the upstream got, and there alone
//	I2  a call that is refused asks nobody: no name is looked up, no address
//	    dialled, no connection made, nothing decrypted
//	I3  what became of a call is in the audit log once, with the reason
//	I4  the vault opens afterwards, and everything in it verifies
//
// The cases have numbers, which tests elsewhere use too; some are missing. A
// case whose subject has a test in another package is named with that package.
// What cannot be made yet waits for a part of the program.
//
// # 3.1 Path
//
//	001  TestCase001SegmentBoundary            a prefix ends where a segment does
//	002  TestCase002CanonicalForm              what is sent is the canonical form
//	003  TestCase003DotSegments                dots as they are
//	004  TestCase004EncodedDots                dots that are encoded
//	005  TestCase005EncodedSlash               slashes that are encoded
//	006  TestCase006Backslash                  backslashes
//	007  TestCase007ControlCharacters          control characters, spaces, and what is not ASCII
//	008  TestCase008DoubleEncoding             encoded twice, or not to the end
//	009  TestCase009MatrixParameters           semicolons
//	010  TestCase010EmptySegments              two slashes in a row
//	011  TestCase011OriginFormOnly             URLs, authorities, asterisks, nothing
//	012  TestCase012Fragment                   fragments
//	015  TestCase015CaseOfThePath              upper and lower case
//	016  TestCase016CustomVerbs                verbs after a colon, and the prefixes that end within a segment
//	     TestCase016RawPrefixes
//	017  TestCase017Prefixes                   the prefixes / and none
//	018  TestCase018LongPaths                  long paths, in little time
//	019  TestCase019SentAsJudged               what net/url would write otherwise
//	     broker/internal/wire.TestCase19Target
//	020  TestCase020PathAuth                   a secret in the path
//	     broker/internal/auth.TestCase020SecretInPath
//
// # 3.2 Query
//
//	021  TestCase021OwnKeyInTheQuery           a key of the caller's own
//	022  TestCase022SpellingsOfTheKey          the same in other spellings
//	023  TestCase023Semicolon                  semicolons, and other characters that stand for themselves
//	025  TestCase025LongQueries                long queries
//	026  TestCase026MethodOverrideInTheQuery   parameters that override the method
//	     TestCase026MethodOverrideInTheBody
//
// # 3.3 Headers
//
//	027  TestCase027AuthHeaders                authentication of the caller's own
//	028  TestCase028HostAndPseudoHeaders       Host, and the pseudo headers of HTTP/2
//	029  TestCase029ConnectionStripsNothing    Connection that names the injected header
//	030  TestCase030Framing                    what frames the message
//	031  TestCase031MalformedHeaders           line breaks, and what is no name
//	032  TestCase032MethodOverride             headers that override the method
//	033  TestCase033Forwarding                 headers by which a server believes in another origin
//	034  TestCase034AmazonHeaders              rights that the path does not show
//	     TestCase034SignedRequests
//	035  TestCase035AcceptEncoding             the encoding of the answer
//	036  TestCase036Twice                      one header twice, or in two spellings
//	037  TestCase037ProviderHeaders            headers that a capability lists, or not
//	038  TestCase038ManyHeaders                many headers, and long ones
//	039  TestCase039OwnBoundary                a boundary of the caller's own
//	040  TestCase040OurOwnHeaders              headers that are for the broker
//
// # 3.4 Host, DNS, TLS, redirects
//
//	041  TestCase041LoopbackHosts              this machine, in every notation
//	042  TestCase042MetadataServices           where a cloud keeps its credentials
//	043  TestCase043ResolvedAddresses          a public name with an address that is not
//	044  TestCase044Rebinding                  a name with another address the second time
//	046  TestCase046MalformedHosts             hosts that are more than a host
//	047  TestCase047OneFormOfAName             one name in many spellings
//	048  TestCase048Wildcards                  names for more than one host
//	049  TestCase049RedirectsNotFollowed       redirects
//	     TestCase049RedirectsFollowed
//	051  TestCase051Certificates               certificates of somebody else
//	052  TestCase052AuthoritiesOfTheEnvironment  authorities from the environment
//	053  TestCase053Proxies                    proxies from the environment
//	054  TestCase054DebuggingOfTheRuntime      debugging from the environment
//	055  TestCase055SharedConnections          connections of two credentials
//	     TestCase055ClientCertificates
//	056  TestCase056NotSentTwice               a connection that breaks
//	     broker/internal/wire.TestCase56HTTP2
//
// # 3.5 Body and files
//
//	057  TestCase057TwoBodies                  two bodies
//	058  waits for: the daemon
//	059  TestCase059FilesThatAreNone           files that are none
//	     ui/app.TestReadFile
//	061  TestCase061ForgedParts                parts that end early
//	062  TestCase062LongBodies                 long bodies
//	063  TestCase063SlowPeer                   a byte at a time
//	064  TestCase064OpaqueBodies               bodies that the path does not limit
//
// # 3.6 Answers
//
//	065  broker.TestTheAnswerDoesNotHoldTheSecret  echoes of the secret, in every form
//	     broker/internal/wire.TestCase65StatusAndTrailer
//	066  broker/internal/redact.TestCase066SecretAcrossChunks  echoes cut at every byte
//	     broker.TestStreamAtOnce
//	067  broker/internal/wire.TestCase67Encodings  echoes that are compressed
//	068  broker/internal/wire.TestCase67Encodings  text that is not UTF-8
//	069  broker/internal/wire.TestCase69GzipBomb  bombs
//	070  broker/internal/wire.TestCase70Endless  answers without an end
//	071  broker/internal/wire.TestCase71Stalls  answers that stop, or drip
//	     broker/internal/wire.TestCase71Drip
//	073  broker/internal/wire.TestCase73Garbage  what is not HTTP
//	074  broker.TestCase090OneRefreshAMinute   the token in the body of a 401
//	075  ui.TestAnswerOnATerminal       what drives a terminal
//	076  ui/markdown.TestCase076BodyCannotCloseAWrapper  what ends a wrapper
//	077  broker/internal/redact.TestShort      short secrets
//	079  broker.TestErrorsAreCleaned           error texts
//	     broker/internal/wire.TestCase73Garbage
//	080  broker/internal/wire.TestCase80ResponseHeaders  headers that do not leave
//
// # 3.7 Authentication
//
//	081  broker/internal/auth.TestNewRefuses   templates and secrets that cannot be sent
//	     broker/internal/auth.TestCheckRefuses
//	082  broker/internal/auth.TestBasic        user names with a colon
//	083  broker/internal/auth.TestCase083Fields  fields that are missing, or there twice
//	084  broker/internal/auth.TestCase084Suite  the signatures of the official suite
//	085  broker.TestCase085SignedAsSent        what is signed is what is sent
//	     broker/internal/auth.TestCase085Paths
//	086  broker.TestCase086HMACAsSent          signatures of our own
//	     broker/internal/auth.TestCase086Injective
//	087  broker.TestCase087NoToken             token endpoints that answer with something else
//	     broker.TestCase087BorrowedEndpoint
//	     broker/internal/oauth.TestCase087TokenAnswers
//	088  broker.TestCase088OneRefresh          one refresh for many calls
//	     vault.TestCase088OneExchange
//	089  broker.TestCase089CutOff              a refresh that was cut off
//	     vault.TestCase089CutOff
//	090  broker.TestCase090OneRefreshAMinute   a 401 for ever
//	091  broker.TestCase091Callback            callbacks that are none
//	     broker/internal/oauth.TestCase091WrongCallback
//	092  broker/internal/auth.TestCase092MTLS  client certificates that cannot work
//	093  broker/internal/wire.TestCase93NoTickets  sessions of two credentials
//	094  broker/internal/auth.TestNewRefuses   strategies that there are not
//
// # 3.8 Policy, scope, rate, audit
//
//	095  waits for: scoped tokens
//	096  broker.TestPrecedence                 which scope comes first
//	097  waits for: scoped tokens
//	098  broker.TestJudgedAtUse                what was true a moment ago
//	099  vault.TestCase099Rate                 many processes, and clocks that jump
//	     vault.TestCase099ManyProcesses
//	100  vault.TestCase100ProbingIsBounded     many refusals
//	     vault.TestCase100NoDenialIsLost
//	101  broker.TestAuditUnavailable           a log that cannot be written
//	102  vault.TestCase102TamperedAudit        a log that was edited
//	104  vault.TestCase104PolicyEvents         edits of the policy
package attack
