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
//	065  TestCase065Echoes                     echoes of the secret, in every form and everywhere
//	     TestCase065StatusTextAndNames
//	     TestCase065NothingToHide
//	     broker/internal/wire.TestCase65StatusAndTrailer
//	066  TestCase066SecretAcrossChunks         echoes that are cut in two, at every byte
//	     broker/internal/redact.TestCase066SecretAcrossChunks
//	     broker.TestStreamAtOnce
//	067  TestCase067Encodings                  echoes that are compressed
//	     broker/internal/wire.TestCase67Encodings
//	068  TestCase068InvalidUTF8                echoes in text that is not UTF-8
//	     ui.TestScripts
//	069  TestCase069GzipBomb                   bombs
//	     broker/internal/wire.TestCase69GzipBomb
//	070  TestCase070AnswersWithoutEnd          answers without an end, or with too much of everything
//	     broker/internal/wire.TestCase70Endless
//	071  TestCase071Stalls                     answers that stop, or drip
//	     TestCase071StallsOnTheWay
//	     broker/internal/wire.TestCase71Stalls
//	     broker/internal/wire.TestCase71SlowIsNoStall
//	073  TestCase073Garbage                    what is not HTTP
//	     TestCase073BodyBehindNone
//	074  TestCase074Unauthorized               tokens in the body of a 401
//	075  ui.TestAnswerOnATerminal              what drives a terminal
//	076  ui/markdown.TestCase076BodyCannotCloseAWrapper  what ends a wrapper
//	077  TestCase077ShortSecrets               short secrets
//	079  TestCase079ErrorTexts                 the texts of errors
//	     broker.TestErrorsAreCleaned
//	080  TestCase080HeadersOfTheAnswer         headers that do not leave
//	     broker/internal/wire.TestCase80ResponseHeaders
//
// # 3.7 Authentication
//
//	081  TestCase081Templates                  templates and secrets that cannot be sent
//	     TestCase081Values
//	082  TestCase082Basic                      the vectors of RFC 7617, and user names with a colon
//	083  TestCase083Fields                     fields that are missing, or there twice
//	084  TestCase084SigV4                      signatures of AWS, by a service of the test's own
//	     broker/internal/auth.TestCase084Suite
//	085  TestCase085SignedAsSent               what is signed is what is sent
//	     broker/internal/auth.TestCase085Paths
//	086  TestCase086HMAC                       signatures of our own
//	     broker/internal/auth.TestCase086Injective
//	087  TestCase087TokenEndpoint              token endpoints that are elsewhere, or answer with something else
//	     TestCase087PinnedToItsProvider
//	     broker.TestCase087NoToken
//	     broker.TestCase087BorrowedEndpoint
//	     broker/internal/oauth.TestCase087TokenAnswers
//	088  TestCase088Processes                  one refresh for many processes
//	     broker.TestCase088OneRefresh
//	     vault.TestCase088OneExchange
//	089  TestCase089Killed                     a process that is killed in a refresh
//	     broker.TestCase089CutOff
//	     vault.TestCase089CutOff
//	090  TestCase090OneRefreshAMinute          a 401 for ever
//	     broker.TestCase090OneRefreshAMinute
//	091  broker.TestCase091Callback            callbacks that are none
//	     broker/internal/oauth.TestCase091StrangersAtTheListener
//	     broker/internal/oauth.TestCase091WrongCallback
//	     broker/internal/oauth.TestCase091ManyCallbacks
//	092  TestCase092MTLS                       client certificates, and pairs that are none
//	     TestCase092PairsThatAreNone
//	     broker/internal/auth.TestCase092MTLS
//	093  TestCase093NothingShared              cookies and sessions of two credentials
//	     broker/internal/wire.TestCase93NoTickets
//	094  TestCase094UnknownStrategies          strategies that there are not
//
// # 3.8 Policy, scope, rate, audit
//
//	095  TestCase095NotGranted                 an agent in a context that it was not given
//	     TestCase095TakenBack
//	     TestCase095OtherScopes
//	     TestCase095HowTheVaultIsKept
//	     broker/internal/resolve.TestReticent
//	     vault.TestGrantsNeverLeak
//	     vault.TestEditedGrants
//	096  TestCase096Precedence                 which scope comes first, and ties
//	     TestCase096Ties
//	     broker.TestPrecedence
//	097  TestCase097NoContextIsNotAll          contexts that say nothing, or something like another
//	     TestCase097NoGrantIsNotAll
//	098  TestCase098AtUse                      what was true a moment ago
//	     TestCase098AnotherLender
//	     TestCase098RevokedWhileCallsRun
//	     TestCase098RevokedDuringARenewal
//	     broker.TestJudgedAtUse
//	099  TestCase099Processes                  many processes, and clocks that jump
//	     vault.TestCase099Rate
//	     vault.TestCase099AnyMinute
//	     vault.TestCase099ManyProcesses
//	100  TestCase100Probing                    many refusals
//	     vault.TestCase100ProbingIsBounded
//	     vault.TestCase100NoDenialIsLost
//	     vault.TestDenialsOfCallers
//	     vault.TestProbingOfOthers
//	101  TestCase101FullDisk                   a log that cannot be written
//	     TestCase101ReadOnly
//	     broker.TestAuditUnavailable
//	102  vault.TestCase102TamperedAudit        a log that was edited
//	104  TestCase104Changes                    edits of what may be called
//	     vault.TestCase104PolicyEvents
package attack
