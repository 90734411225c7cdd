// Package check decides whether an API server would create the objects of a kustomization, and whether they fit together.
package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/api/pod"
	"k8s.io/kubernetes/pkg/api/service"
	"k8s.io/kubernetes/pkg/apis/apps"
	appsvalidation "k8s.io/kubernetes/pkg/apis/apps/validation"
	"k8s.io/kubernetes/pkg/apis/autoscaling"
	autoscalingvalidation "k8s.io/kubernetes/pkg/apis/autoscaling/validation"
	"k8s.io/kubernetes/pkg/apis/core"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/apis/networking"
	networkingvalidation "k8s.io/kubernetes/pkg/apis/networking/validation"
	"k8s.io/kubernetes/pkg/apis/policy"
	policyvalidation "k8s.io/kubernetes/pkg/apis/policy/validation"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	// Each adds the versions and defaults of its group.
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
)

// Render returns the YAML of the kustomization in a folder, as `kubectl kustomize` does.
func Render(folder string) ([]byte, error) {
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return nil, err
	}
	return resources.AsYaml()
}

// Decode reads the documents that Render returns. An unknown or repeated field is an error.
func Decode(documents []byte) ([]runtime.Object, error) {
	decoder := serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	var objects []runtime.Object
	for _, document := range bytes.Split(documents, []byte("\n---\n")) {
		object, _, err := decoder.Decode(document, nil, nil)
		if err != nil {
			return nil, fmt.Errorf("%w in:\n%s", err, document)
		}
		objects = append(objects, object)
	}
	return objects, nil
}

// Create adds the defaults of the API server to a new object and validates it. A warning that the API server would send to the
// client is an error, and so is a kind without rules here: nothing stays unchecked.
func Create(object runtime.Object) error {
	withDefaults := object.DeepCopyObject()
	legacyscheme.Scheme.Default(withDefaults)
	internal, err := legacyscheme.Scheme.ConvertToVersion(withDefaults, runtime.InternalGroupVersioner)
	if err != nil {
		return err
	}
	var invalid field.ErrorList
	var warnings []string
	switch object := internal.(type) {
	case *apps.Deployment:
		template := &object.Spec.Template
		invalid = appsvalidation.ValidateDeployment(object, pod.GetValidationOptionsFromPodTemplate(template, nil))
		warnings = podWarnings(template)
	case *apps.StatefulSet:
		template := &object.Spec.Template
		invalid = appsvalidation.ValidateStatefulSet(object, pod.GetValidationOptionsFromPodTemplate(template, nil))
		warnings = podWarnings(template)
	case *autoscaling.HorizontalPodAutoscaler:
		options := autoscalingvalidation.HorizontalPodAutoscalerSpecValidationOptions{MinReplicasLowerBound: 1}
		invalid = autoscalingvalidation.ValidateHorizontalPodAutoscaler(object, options)
	case *core.ConfigMap:
		invalid = corevalidation.ValidateConfigMap(object)
	case *core.Service:
		invalid = corevalidation.ValidateServiceCreate(object)
		warnings = service.GetWarningsForService(object, nil)
	case *core.ServiceAccount:
		invalid = corevalidation.ValidateServiceAccount(object)
	case *networking.NetworkPolicy:
		invalid = networkingvalidation.ValidateNetworkPolicy(object, networkingvalidation.NetworkPolicyValidationOptions{})
	case *policy.PodDisruptionBudget:
		invalid = policyvalidation.ValidatePodDisruptionBudget(object, policyvalidation.PodDisruptionBudgetValidationOptions{})
	default:
		return fmt.Errorf("there are no rules for %T here", object)
	}
	found := []error{invalid.ToAggregate()}
	for _, warning := range warnings {
		found = append(found, errors.New(warning))
	}
	return errors.Join(found...)
}

func podWarnings(template *core.PodTemplateSpec) []string {
	return pod.GetWarningsForPodTemplate(context.Background(), field.NewPath("spec", "template"), template, nil)
}
