package tools

import (
	"reflect"
	"strings"
)

// Module returns the path of this module, as go.mod has it.
func Module() string {
	return strings.TrimSuffix(reflect.TypeFor[Tools]().PkgPath(), "/localstack/tools")
}
