package check

import (
	"os"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
)

// The kustomizations that users apply.
var shapes = []string{"../embedded", "../aws"}

func render(t *testing.T, folder string) string {
	t.Helper()
	documents, err := Render(folder)
	if err != nil {
		t.Fatal(err)
	}
	return string(documents)
}

func faults(t *testing.T, documents string) (found []string) {
	t.Helper()
	objects, err := Decode([]byte(documents))
	if err != nil {
		return []string{err.Error()}
	}
	for _, object := range objects {
		if err := Create(object); err != nil {
			found = append(found, err.Error())
		}
	}
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	variables := Variables(string(readme))
	if variables.Len() < 30 {
		t.Fatalf("the README lists %d variables", variables.Len())
	}
	return append(found, Together(objects, variables)...)
}

func TestAnApiServerCreatesWhatUsersApply(t *testing.T) {
	for _, shape := range shapes {
		if found := faults(t, render(t, shape)); len(found) > 0 {
			t.Errorf("%s:\n%s", shape, strings.Join(found, "\n"))
		}
	}
}

func TestEachShapeHasItsObjects(t *testing.T) {
	wanted := map[string]map[string]int{
		"../embedded": {"ConfigMap": 1, "NetworkPolicy": 2, "Service": 1, "ServiceAccount": 1, "StatefulSet": 1},
		"../aws": {"ConfigMap": 1, "Deployment": 3, "HorizontalPodAutoscaler": 1, "NetworkPolicy": 3, "PodDisruptionBudget": 2,
			"Service": 2, "ServiceAccount": 1},
	}
	for shape, kinds := range wanted {
		objects, err := Decode([]byte(render(t, shape)))
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]int{}
		for _, object := range objects {
			found[kindOf(object)]++
		}
		for kind, count := range kinds {
			if found[kind] != count {
				t.Errorf("%s has %d of the kind %s, not %d", shape, found[kind], kind, count)
			}
			delete(found, kind)
		}
		if len(found) > 0 {
			t.Errorf("%s also has %v", shape, found)
		}
	}
}

func kindOf(object runtime.Object) string { return object.GetObjectKind().GroupVersionKind().Kind }

// Each case breaks what is right in one place, and names a part of the message that must follow.
func TestFaultsAreFound(t *testing.T) {
	cases := []struct{ shape, right, wrong, message string }{
		{"../aws", "maxReplicas: 10", "maxReplica: 10", "unknown field"},
		{"../aws", "maxReplicas: 10", "maxReplicas: 1", "must be greater than or equal to"},
		{"../aws", "apiVersion: autoscaling/v2\n", "apiVersion: autoscaling/v2beta2\n", "no kind"},
		{"../aws", "maxUnavailable: 1\n", "maxUnavailable: 1\n  minAvailable: 1\n", "cannot be both set"},
		{"../aws", "            port: http", "            port: http_", "port"},
		{"../aws", "memory: 512Mi", "memory: 64Mi", "must be less than or equal to memory limit"},
		{"../aws", "  kind: Deployment\n    name: noren-query", "  kind: Deployment\n    name: noren-search", "has 0 targets"},
		{"../aws", "cidr: 0.0.0.0/0", "cidr: 0.0.0.0/33", "must be a valid CIDR"},
		{"../aws", "targetPort: http", "targetPort: web", "names the port web"},
		{"../aws", "NOREN_CURRENCY:", "NOREN_CURENCY:", "no program knows the variable NOREN_CURENCY"},
		{"../aws", "periodSeconds: 10", "periodSeconds: -1", "must be greater than or equal to 0"},
		{"../aws", "app.kubernetes.io/name: noren-query\n  strategy", "app.kubernetes.io/name: other\n  strategy", "does not match template"},
		{"../embedded", "- ALL", "- NET_RAW", "restricted"},
		{"../embedded", "runAsNonRoot: true", "runAsNonRoot: false", "restricted"},
		{"../embedded", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "can be written"},
		{"../embedded", "enableServiceLinks: false", "enableServiceLinks: true", "NOREN_QUERY_PORT"},
		{"../embedded", "mountPath: /data", "mountPath: ''", "mountPath"},
		{"../embedded", "  - mountPath: /data\n          name: data", "  - mountPath: /data\n          name: disk", "Not found"},
		{"../embedded", "serviceAccountName: noren", "serviceAccountName: root", "there is no service account"},
		{"../embedded", "kind: ServiceAccount", "kind: ServiceAcount", "no kind"},
	}
	for _, each := range cases {
		documents := render(t, each.shape)
		if !strings.Contains(documents, each.right) {
			t.Errorf("%s does not contain %q", each.shape, each.right)
			continue
		}
		found := strings.Join(faults(t, strings.Replace(documents, each.right, each.wrong, 1)), "\n")
		if !strings.Contains(found, each.message) {
			t.Errorf("%q as %q: no fault with %q, but:\n%s", each.right, each.wrong, each.message, found)
		}
	}
}
