package check

import (
	"fmt"
	"regexp"
	"strings"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/pod-security-admission/api"
	podsecurity "k8s.io/pod-security-admission/policy"
)

// The namespace of all objects.
const namespace = "noren"

// A workload is an object that creates pods.
type workload struct {
	kind, name string
	replicas   *int32
	pod        core.PodTemplateSpec
}

// Together returns the faults that no API server sees: references between objects that lead nowhere, pods that the namespace
// would refuse, and variables that no program of Noren knows.
func Together(objects []runtime.Object, variables sets.Set[string]) []string {
	var faults []string
	fault := func(format string, values ...any) { faults = append(faults, fmt.Sprintf(format, values...)) }
	var workloads []workload
	maps, accounts := map[string]map[string]string{}, sets.New[string]()
	for _, object := range objects {
		if of := object.(meta.Object); of.GetNamespace() != namespace {
			fault("%s is in the namespace %q", of.GetName(), of.GetNamespace())
		}
		switch object := object.(type) {
		case *apps.Deployment:
			workloads = append(workloads, workload{"Deployment", object.Name, object.Spec.Replicas, object.Spec.Template})
		case *apps.StatefulSet:
			workloads = append(workloads, workload{"StatefulSet", object.Name, object.Spec.Replicas, object.Spec.Template})
		case *core.ConfigMap:
			maps[object.Name] = object.Data
		case *core.ServiceAccount:
			accounts.Insert(object.Name)
		}
	}
	matched := func(selector *meta.LabelSelector) (found []workload) {
		for _, each := range workloads {
			parsed, err := meta.LabelSelectorAsSelector(selector)
			if err == nil && parsed.Matches(labels.Set(each.pod.Labels)) {
				found = append(found, each)
			}
		}
		return found
	}
	for _, object := range objects {
		switch object := object.(type) {
		case *core.Service:
			found := matched(&meta.LabelSelector{MatchLabels: object.Spec.Selector})
			if len(found) != 1 {
				fault("the service %s selects %d workloads", object.Name, len(found))
				continue
			}
			for _, port := range object.Spec.Ports {
				if !hasPort(found[0], port.TargetPort.String()) {
					fault("the service %s names the port %s, which the pods do not have", object.Name, port.TargetPort.String())
				}
			}
		case *policy.PodDisruptionBudget:
			if found := matched(object.Spec.Selector); len(found) != 1 {
				fault("the disruption budget %s selects %d workloads", object.Name, len(found))
			} else if found[0].replicas != nil && *found[0].replicas < 2 {
				fault("the disruption budget %s is for a single pod, whose node could never be drained", object.Name)
			}
		case *autoscaling.HorizontalPodAutoscaler:
			found := 0
			for _, each := range workloads {
				target := object.Spec.ScaleTargetRef
				if each.kind == target.Kind && each.name == target.Name {
					found++
					if each.replicas != nil {
						fault("%s has replicas, and so each `kubectl apply` undoes what its autoscaler did", each.name)
					}
					if each.pod.Spec.Containers[0].Resources.Requests.Cpu().IsZero() {
						fault("%s requests no processor time, which its autoscaler needs", each.name)
					}
				}
			}
			if found != 1 {
				fault("the autoscaler %s has %d targets", object.Name, found)
			}
		case *networking.NetworkPolicy:
			if len(matched(&object.Spec.PodSelector)) == 0 {
				fault("the network policy %s selects no pods", object.Name)
			}
		}
	}
	for _, each := range workloads {
		faults = append(faults, podFaults(each, maps, accounts, variables)...)
	}
	return faults
}

func hasPort(of workload, name string) bool {
	for _, container := range of.pod.Spec.Containers {
		for _, port := range container.Ports {
			if port.Name == name || fmt.Sprint(port.ContainerPort) == name {
				return true
			}
		}
	}
	return false
}

func podFaults(of workload, maps map[string]map[string]string, accounts sets.Set[string], variables sets.Set[string]) (faults []string) {
	fault := func(format string, values ...any) {
		faults = append(faults, of.name+": "+fmt.Sprintf(format, values...))
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	evaluator, err := podsecurity.NewEvaluator(podsecurity.DefaultChecks(), nil)
	if err != nil {
		fault("%v", err)
		return faults
	}
	verdict := podsecurity.AggregateCheckResults(evaluator.EvaluatePod(restricted, &of.pod.ObjectMeta, &of.pod.Spec))
	if !verdict.Allowed {
		fault("the profile restricted refuses the pod: %s", verdict.ForbiddenDetail())
	}
	spec := of.pod.Spec
	if !accounts.Has(spec.ServiceAccountName) {
		fault("there is no service account %q", spec.ServiceAccountName)
	}
	if spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken {
		fault("the pod gets a token of the API server")
	}
	if spec.EnableServiceLinks == nil || *spec.EnableServiceLinks {
		fault("the pod gets a variable for each service, such as NOREN_QUERY_PORT")
	}
	for _, container := range spec.Containers {
		var names []string
		for _, from := range container.EnvFrom {
			if from.ConfigMapRef == nil {
				continue
			}
			data, exists := maps[from.ConfigMapRef.Name]
			if !exists {
				fault("there is no config map %q", from.ConfigMapRef.Name)
			}
			for name := range data {
				names = append(names, name)
			}
		}
		for _, variable := range container.Env {
			names = append(names, variable.Name)
		}
		for _, name := range names {
			if strings.HasPrefix(name, "NOREN_") && !variables.Has(name) {
				fault("no program knows the variable %s", name)
			}
		}
		if security := container.SecurityContext; security == nil || security.ReadOnlyRootFilesystem == nil || !*security.ReadOnlyRootFilesystem {
			fault("the file system of %s can be written", container.Name)
		}
		if container.LivenessProbe == nil || container.ReadinessProbe == nil || container.StartupProbe == nil {
			fault("%s lacks a probe", container.Name)
		}
		if container.Resources.Requests.Cpu().IsZero() || container.Resources.Requests.Memory().IsZero() || container.Resources.Limits.Memory().IsZero() {
			fault("%s lacks a request or the limit of its memory", container.Name)
		}
	}
	return faults
}

// Variables returns the variables in the tables of a document: rows that begin with the name of one.
func Variables(document string) sets.Set[string] {
	rows := regexp.MustCompile("(?m)^\\| `(NOREN_[A-Z_]+)` \\|").FindAllStringSubmatch(document, -1)
	found := sets.New[string]()
	for _, row := range rows {
		found.Insert(row[1])
	}
	return found
}
