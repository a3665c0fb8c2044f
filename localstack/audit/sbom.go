package audit

import (
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"os"
	"runtime/debug"
	"strings"

	"github.com/CycloneDX/cyclonedx-go"
)

// WriteSBOM writes the software bill of materials of a function's binary: a CycloneDX document of the
// modules that the binary's own build information lists. The same binary gives the same bytes, because the
// document has no time and no serial number.
func WriteSBOM(function, binary, file string) (err error) {
	linked, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() {
		if closed := out.Close(); err == nil {
			err = closed
		}
	}()
	return cyclonedx.NewBOMEncoder(out, cyclonedx.BOMFileFormatJSON).SetPretty(true).Encode(sbom(function, linked))
}

// sbom lists the modules of a binary, and Go's standard library.
func sbom(function string, linked *debug.BuildInfo) *cyclonedx.BOM {
	itself := "function:" + function
	library := module("std", strings.TrimPrefix(linked.GoVersion, "go"), "")
	parts := []cyclonedx.Component{library}
	needs := []string{library.BOMRef}
	alone := []cyclonedx.Dependency{{Ref: library.BOMRef}}
	for _, m := range linked.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		part := module(m.Path, m.Version, m.Sum)
		parts, needs, alone = append(parts, part), append(needs, part.BOMRef),
			append(alone, cyclonedx.Dependency{Ref: part.BOMRef})
	}
	bom := cyclonedx.NewBOM()
	bom.SerialNumber = ""
	bom.Metadata = &cyclonedx.Metadata{Component: &cyclonedx.Component{BOMRef: itself,
		Type: cyclonedx.ComponentTypeApplication, Name: function}}
	bom.Components = &parts
	dependencies := append([]cyclonedx.Dependency{{Ref: itself, Dependencies: &needs}}, alone...)
	bom.Dependencies = &dependencies
	return bom
}

// module describes a Go module. The sum is that of go.sum: the SHA-256 of the module's list of files.
func module(path, version, sum string) cyclonedx.Component {
	url := "pkg:golang/" + path + "@" + version
	c := cyclonedx.Component{BOMRef: url, Type: cyclonedx.ComponentTypeLibrary, Name: path, Version: version,
		PackageURL: url}
	if hash, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(sum, "h1:")); err == nil && len(hash) > 0 {
		c.Hashes = &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: hex.EncodeToString(hash)}}
	}
	return c
}
