package function

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"backroom/shared/function/gateway"
	"backroom/shared/function/limit"
)

// Serve starts the function that answers one route of the REST API.
func Serve[S any, H http.Handler](build func(Runtime, S) H) { start(Serving(build)) }

// deployed is a route that the settings of all routes concern.
type deployed interface {
	Deployed(l *limit.Limiter, problems string) http.Handler
}

// prepared is a route with work to do before its first request.
type prepared interface {
	Prepare(ctx context.Context) error
}

// routeSettings are the settings of all routes.
type routeSettings struct {
	// requests per second that one caller may send to an instance
	Rate     positiveInt `env:"CALLER_RATE"`
	Burst    positiveInt `env:"CALLER_BURST"`               // requests at once
	Problems string      `env:"PROBLEMS_URL" envDefault:""` // the page of problems; empty: that of the API
}

// positiveInt is an integer ≥ 1.
type positiveInt int

// UnmarshalText parses the number and returns an error if it is less than 1.
func (p *positiveInt) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 {
		return fmt.Errorf("%q must be an integer ≥ 1", text)
	}
	*p = positiveInt(n)
	return nil
}

// Serving returns the builder that Serve starts. It prepares a route with a Prepare method during
// INIT.
func Serving[S any, H http.Handler](build func(Runtime, S) H) Builder {
	return func(rt Runtime, environ map[string]string) (lambda.Handler, error) {
		s, err := settings[S](environ)
		var common routeSettings
		_, concerned := any(*new(H)).(deployed)
		if concerned {
			var wrong error
			common, wrong = settings[routeSettings](environ)
			err = errors.Join(err, wrong)
		}
		if err != nil {
			return nil, err
		}
		var route http.Handler = build(rt, s)
		if p, ok := route.(prepared); ok {
			rt.OnInit(p.Prepare)
		}
		if concerned {
			callers := limit.New(int(common.Rate), int(common.Burst), rt.Now)
			route = route.(deployed).Deployed(callers, common.Problems)
		}
		answer := gateway.Lambda(route, rt.Log)
		return lambda.NewHandler(func(
			ctx context.Context, e events.APIGatewayProxyRequest,
		) (events.APIGatewayProxyResponse, error) {
			ctx, cancel := withDeadlineMargin(ctx)
			defer cancel()
			return answer(ctx, e)
		}), nil
	}
}
