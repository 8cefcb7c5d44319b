{{/* Labels of every object of the release. */}}
{{- define "acme-operator.labels" -}}
{{ include "acme-operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: acme-platform
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* The pods. Policies of Builtin datastores admit the operator by the first of these. */}}
{{- define "acme-operator.selector" -}}
app.kubernetes.io/name: acme-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The defaults of config/platform.yaml with the value `platform` on top. */}}
{{- define "acme-operator.platform" -}}
{{ mergeOverwrite (.Files.Get "files/platform.yaml" | fromYaml) (deepCopy .Values.platform) | toYaml }}
{{- end }}

{{/* What the operator may do in the namespaces it serves: a list of rules for a Role or a ClusterRole. */}}
{{- define "acme-operator.rules" -}}
# What people declare is read; only its status is written.
- apiGroups: [platform.acme.dev]
  resources: [acmeservices, acmedatastores, acmetopics]
  verbs: [get, list, watch]
- apiGroups: [platform.acme.dev]
  resources: [acmeservices/status, acmedatastores/status, acmetopics/status]
  verbs: [patch]
# The finalizer of a datastore, whose logins on an External server have to be dropped before it goes.
- apiGroups: [platform.acme.dev]
  resources: [acmedatastores]
  verbs: [patch]
# Children say blockOwnerDeletion, which clusters with OwnerReferencesPermissionEnforcement allow to these only.
- apiGroups: [platform.acme.dev]
  resources: [acmeservices/finalizers, acmedatastores/finalizers]
  verbs: [update]
# Children. Server-side apply needs create beside patch; update is not used.
- apiGroups: [apps]
  resources: [deployments, statefulsets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services, serviceaccounts, configmaps]
  verbs: [get, list, watch, create, patch, delete]
# Logins are made here and handed out as binding Secrets: create, patch, delete. They are watched by our own label so that
# a lost or altered one is mended, and an External server's admin Secret is read by its name: get, list, watch. RBAC knows
# no labels, so this reaches every Secret of the namespaces served; set watchNamespace to keep it to one.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, patch, delete]
# Why a workload does not come up is read from its pods.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end }}
