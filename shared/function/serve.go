package function

import (
	"context"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"backroom/shared/api/gateway"
)

// Serve starts the function that answers one route of the REST API.
func Serve[S any, H http.Handler](build func(Runtime, S) H) { start(Serving(build)) }

// Serving builds what Serve starts.
func Serving[S any, H http.Handler](build func(Runtime, S) H) Builder {
	return func(rt Runtime, environ map[string]string) (lambda.Handler, error) {
		s, err := settings[S](environ)
		if err != nil {
			return nil, err
		}
		answer := gateway.Lambda(build(rt, s), rt.Log)
		return lambda.NewHandler(func(ctx context.Context, e events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
			ctx, cancel := parted(ctx)
			defer cancel()
			return answer(ctx, e)
		}), nil
	}
}
