{{- define "axion.labels" -}}
app.kubernetes.io/name: axion
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "axion.selector" -}}
app.kubernetes.io/name: axion
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "axion.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "axion.pod" -}}
automountServiceAccountToken: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  seccompProfile: { type: RuntimeDefault }
volumes:
  - name: tmp
    emptyDir: { sizeLimit: 1Gi }
{{- end }}

{{- define "axion.container" -}}
image: {{ include "axion.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
volumeMounts:
  - { name: tmp, mountPath: /tmp }
{{- end }}

{{- define "axion.settings" -}}
{{- range $name, $value := .Values.settings }}
{{- if not (hasPrefix "AXION_" $name) }}
{{- fail (printf "settings.%s: settings of the gateway begin with AXION_" $name) }}
{{- end }}
{{- if regexMatch "(PASSWORD|TOKEN|SECRET_KEY|ACCESS_KEY|API_KEY|ENCRYPTION__KEYS|ISSUER_KEY|HEADERS|(APP|WORKER|MIGRATE|ADMIN)_URL)$" $name }}
{{- fail (printf "settings.%s holds a secret: put it into the Secret that secretName names" $name) }}
{{- end }}
- { name: {{ $name }}, value: {{ $value | toString | quote }} }
{{- end }}
{{- end }}

{{- define "axion.secrets" -}}
- secretRef: { name: {{ required "secretName: name a Secret whose keys are the gateway's settings" .Values.secretName }} }
{{- end }}
