package expression

import (
	"slices"

	"backroom/localstack/cloudsim/dynamo/attribute"
)

// Projection is a ProjectionExpression.
type Projection struct{ paths []path }

// Projection reads a ProjectionExpression.
func (s *Scope) Projection(text string) (Projection, error) {
	const kind = "ProjectionExpression"
	paths, err := read(s, kind, text, func(p *parser) []path {
		paths := []path{p.path()}
		for p.accept(",") {
			paths = append(paths, p.path())
		}
		return paths
	})
	if err != nil {
		return Projection{}, err
	}
	if err := apart(paths); err != nil {
		return Projection{}, refuse("Invalid %s: %v", kind, err)
	}
	return Projection{paths}, nil
}

// Names returns the attributes that the projection reads.
func (p Projection) Names() []string { return tops(p.paths) }

// Of returns the part of the item that the projection selects. Selected elements of a list become
// adjacent.
func (p Projection) Of(item attribute.Item) attribute.Item {
	part := pick(attribute.Value{Kind: attribute.M, Map: item}, p.paths, 0)
	return slices.Clip(part.Map)
}

// pick returns the part of a map or list that the paths select. The first level steps of the paths
// lead to it.
func pick(from attribute.Value, paths []path, level int) attribute.Value {
	part := attribute.Value{Kind: from.Kind, Map: attribute.Item{}}
	for _, f := range from.Map {
		if v, ok := pickOne(f.Value, step{name: f.Name}, paths, level); ok {
			part.Map = append(part.Map, attribute.Field{Name: f.Name, Value: v})
		}
	}
	if from.Kind != attribute.L {
		return part
	}
	for i, e := range from.List {
		if v, ok := pickOne(e, step{index: i}, paths, level); ok {
			part.List = append(part.List, v)
		}
	}
	return part
}

func pickOne(v attribute.Value, s step, paths []path, level int) (attribute.Value, bool) {
	var deeper []path
	for _, p := range paths {
		switch {
		case p[level] != s:
		case len(p) == level+1:
			return v, true
		default:
			deeper = append(deeper, p)
		}
	}
	if deeper == nil {
		return v, false
	}
	part := pick(v, deeper, level+1)
	return part, len(part.Map)+len(part.List) > 0
}
