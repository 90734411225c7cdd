// Parameters of deploy/template.yaml, which are described in deploy/README.md.
export const parameters = {
  Currency: 'EUR',
  Language: 'de',
  AlarmEmail: 'ops@shop.example',
};
