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

// limited is a route with a rate limit per caller.
type limited interface {
	Limited(l *limit.Limiter) http.Handler
}

// prepared is a route with work to do before its first request.
type prepared interface {
	Prepare(ctx context.Context) error
}

// limitSettings are the rate limit of each caller at one instance of a route.
type limitSettings struct {
	Rate  positiveInt `env:"CALLER_RATE"`  // requests per second
	Burst positiveInt `env:"CALLER_BURST"` // requests at once
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
		var limits limitSettings
		_, counts := any(*new(H)).(limited)
		if counts {
			var wrong error
			limits, wrong = settings[limitSettings](environ)
			err = errors.Join(err, wrong)
		}
		if err != nil {
			return nil, err
		}
		var route http.Handler = build(rt, s)
		if p, ok := route.(prepared); ok {
			rt.OnInit(p.Prepare)
		}
		if counts {
			route = route.(limited).Limited(limit.New(int(limits.Rate), int(limits.Burst), rt.Now))
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
