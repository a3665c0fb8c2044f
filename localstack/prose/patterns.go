package prose

import "regexp"

// A Pattern matches wording that the style rules out.
type Pattern struct {
	Name   string
	Advice string         // what to write instead
	match  *regexp.Regexp // without regard to case
	unless *regexp.Regexp // spares a match that it matches as well; may be nil
}

func (p Pattern) find(text string) [][]int {
	var found [][]int
	for _, at := range p.match.FindAllStringIndex(text, -1) {
		if p.unless == nil || !p.unless.MatchString(text[at[0]:at[1]]) {
			found = append(found, at)
		}
	}
	return found
}

func pattern(name, match, unless, advice string) Pattern {
	p := Pattern{Name: name, Advice: advice, match: regexp.MustCompile(`(?i)` + match)}
	if unless != "" {
		p.unless = regexp.MustCompile(`(?i)` + unless)
	}
	return p
}

// Patterns are all patterns.
var Patterns = []Pattern{
	pattern("noun-who", `\b(to|for|by|of|from|that|and|with|or|on|at|than|but|as|only) who\b`, ``,
		`name the person or program: "asks who waits" → "a waiting client asks"`),
	pattern("subject-who", `(?-i:^W|[.;] [Ww])ho [^.?!]*([.!;]|$)`, ``,
		`begin with the subject: "Who has no outcome expires" → "An order without an outcome expires"`),
	pattern("whoever", `\b(whoever|whomever|whosoever)\b`, ``,
		`name the person or program: "for whoever reads it" → "for its readers"`),
	pattern("anew", `\banew\b`, ``, `"again", or the verb: "reads it anew" → "reloads it"`),
	pattern("is-none", `(\w+ )?\b(is|are|was|were|be) none\b`, `^there `,
		`say what is so: "the problem is none" → "the response is not a valid problem document"`),
	pattern("is-no", `(\w+[.:;,]? )?\b(is|are|was|were) no \w+`,
		`^there |no (longer|more|less|fewer|later|earlier|larger|bigger|better|worse|one)$`,
		`negate the verb, or give the rule: "is no whole number from 1" → "must be an integer ≥ 1"`),
	pattern("had-had", `\bhad had\b`, ``,
		`name the earlier state: "a hold that had had" → "the previous state of a reservation"`),
	pattern("for-ever", `\bfor ever\b`, ``, `"forever", or the rule: "is kept for ever" → "is never deleted"`),
	pattern("any-more", `\bany more( \w+)?`, `more (than|of|\w+s)$`,
		`"no longer" before the verb: "does not count any more" → "no longer counts"`),
	pattern("can-not", `\bcan not\b( only)?`, `only$`, `"cannot", one word`),
	pattern("in-vain", `\bin vain\b`, ``, `say what did not come: "asked in vain" → "got no answer"`),
	pattern("at-odds", `\bat odds\b`, ``, `say how they differ: "money at odds" → "payment failures"`),
	pattern("spoken-for", `\bspoken for\b`, ``, `"reserved"`),
	pattern("befall", `\b(befalls?|befell|befallen)\b`, ``,
		`"happens to"; of a fault: "strikes", or "is injected into"`),
	pattern("but-for", `\bbut for\b`, ``, `"except", or "without"`),
	pattern("that-there-is", `\b(one|ones|those|all|any) that there (is|are|was|were)\b`, ``,
		`"an existing …", "every …": "one that there is" → "an existing one"`),
	pattern("comes-to-end", `\b(come|comes|came) to (its|an|no|a right|the) end\b`, ``,
		`"ends", "finishes", "does not finish"`),
	pattern("stands", `\b(stands|stood)\b( \w+){0,2}`, `^\w+ (in for|for)\b`,
		`"is", "exists", "is listed": "as it stands" → "as it is"`),
	pattern("hears", `\b(hear|hears|heard|hearing)\b`, ``, `"receives", "consumes"; of a queue's message: "handles"`),
	pattern("tells", `\b(tell|tells|told|telling)\b( \w+)?`,
		`^tells? (which|whether|what|how|why|when|where|it|them|from|success)$|apart$`,
		`"publishes", "reports", "returns", "shows"`),
}
