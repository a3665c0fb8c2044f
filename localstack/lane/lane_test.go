package lane

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
)

func TestMarks_EqualThoseOfConformance(t *testing.T) {
	t.Parallel()
	require.Equal(t, conformance.ExceptionMark, ExceptionMark)
	require.Equal(t, conformance.FigureMark, FigureMark)
}

func TestLane_CountsTestsWithoutSubtests(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	tally := Lane{Name: "unit", Out: &out}.count(strings.NewReader(strings.Join([]string{
		`{"Action":"run","Package":"` + module + `shared/money","Test":"TestAdd"}`,
		`{"Action":"run","Package":"` + module + `shared/money","Test":"TestAdd/one"}`,
		`{"Action":"run","Package":"` + module + `shared/money","Test":"TestAdd/two"}`,
		`{"Action":"output","Package":"` + module +
			`shared/money","Test":"TestAdd/two","Output":"    a_test.go:3: exception: ministack: rounds up\n"}`,
		`{"Action":"output","Package":"` + module +
			`shared/money","Test":"TestAdd/two","Output":"    a_test.go:4: figure: 2 are 2\n"}`,
		`{"Action":"pass","Package":"` + module + `shared/money","Test":"TestAdd/one"}`,
		`{"Action":"pass","Package":"` + module + `shared/money","Test":"TestAdd/two"}`,
		`{"Action":"pass","Package":"` + module + `shared/money","Test":"TestAdd"}`,
		`{"Action":"run","Package":"` + module + `shared/money","Test":"TestSkips"}`,
		`{"Action":"skip","Package":"` + module + `shared/money","Test":"TestSkips"}`,
		`{"Action":"output","Package":"` + module + `shared/money","Test":"TestBreaks","Output":"why it broke\n"}`,
		`{"Action":"fail","Package":"` + module + `shared/money","Test":"TestBreaks"}`,
		`{"Action":"skip","Package":"` + module + `shared/fault"}`,
	}, "\n")))
	require.Equal(t, 2, tally.Passed)
	require.Equal(t, []string{"shared/money.TestSkips"}, tally.Skipped)
	require.Equal(t, []string{"shared/money.TestBreaks"}, tally.Failed)
	require.Equal(t, []string{"TestAdd/two: ministack: rounds up"}, tally.Exceptions)
	require.Equal(t, []string{"TestAdd/two: 2 are 2"}, tally.Figures)
	require.Equal(t, "why it broke\n", out.String())
}

func TestLane_FailsUnlessEveryTestPassed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tally Tally
		says  string
	}{
		"a test was skipped": {Tally{Passed: 3, Skipped: []string{"TestX"}}, "1 skipped: TestX"},
		"no test ran":        {Tally{}, "no test ran"},
		"a test failed":      {Tally{Passed: 3, Failed: []string{"TestX"}}, "failed: TestX"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.ErrorContains(t, Lane{Name: "unit"}.check(c.tally, nil), c.says)
		})
	}
	require.NoError(t, Lane{}.check(Tally{Passed: 1}, nil))
}

func TestTally_FoldsExceptionsByReason(t *testing.T) {
	tally := Tally{Exceptions: []string{"TestA/x: ministack: it rounds", "TestB: ministack: it forgets",
		"TestC: ministack: it rounds"}}
	require.Equal(t, []string{"TestB: ministack: it forgets", "ministack: it rounds: 2 cases, such as TestA/x"},
		tally.Folded())
}
