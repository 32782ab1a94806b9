import type { components } from './wire';

type Schemas = components['schemas'];

/**
 * A reply has every field, for the server writes defaults out; a request may leave them away.
 */
export type Full<T> = T extends readonly (infer Item)[]
  ? Full<Item>[]
  : T extends object
    ? { [Key in keyof T]-?: Full<T[Key]> }
    : T;

/** A body of a request, by the name of its struct. */
export type Request<Name extends keyof Schemas> = Schemas[Name];

/** What JSON cannot say of a number is said in a word. */
export type WireNumber = number | 'NaN' | 'Infinity' | '-Infinity';

export type Activity = Full<Schemas['Activity']>;
export type Alert = Full<Schemas['Alert']>;
export type Alerts = Full<Schemas['Alerts']>;
export type AliasChange = Full<Schemas['AliasChange']>;
export type Artifact = Full<Schemas['Artifact']>;
export type ArtifactPreview = Full<Schemas['ArtifactPreview']>;
export type Artifacts = Full<Schemas['Artifacts']>;
export type Audit = Full<Schemas['Audit']>;
export type AuditEntry = Full<Schemas['AuditEntry']>;
export type BackgroundReply = Full<Schemas['BackgroundReply']>;
export type BackgroundReview = Full<Schemas['BackgroundReview']>;
export type CardSection = Full<Schemas['CardSection']>;
export type CellDiff = Full<Schemas['CellDiff']>;
export type CellValue = Full<Schemas['CellValue']>;
export type CertificateFacts = Full<Schemas['CertificateFacts']>;
export type CodeDiff = Full<Schemas['CodeDiff']>;
export type CodeLine = Full<Schemas['CodeLine']>;
export type Column = Full<Schemas['Column']>;
export type ColumnChange = Full<Schemas['ColumnChange']>;
export type ColumnLeak = Full<Schemas['ColumnLeak']>;
export type ColumnProfile = Full<Schemas['ColumnProfile']>;
export type Compared = Full<Schemas['Compared']>;
export type ComparedRow = Full<Schemas['ComparedRow']>;
export type Comparison = Full<Schemas['Comparison']>;
export type Correlation = Full<Schemas['Correlation']>;
export type CurveSet = Full<Schemas['CurveSet']>;
export type DataDiff = Full<Schemas['DataDiff']>;
export type DataFacts = Full<Schemas['DataFacts']>;
export type Dataset = Full<Schemas['Dataset']>;
export type DataVersion = Full<Schemas['DataVersion']>;
export type DataVersions = Full<Schemas['DataVersions']>;
export type DeployTargetInfo = Full<Schemas['DeployTargetInfo']>;
export type Disorder = Full<Schemas['Disorder']>;
export type Edge = Full<Schemas['Edge']>;
export type Endpoint = Full<Schemas['Endpoint']>;
export type ErrorBody = Full<Schemas['ErrorBody']>;
export type ExecutorInfo = Full<Schemas['ExecutorInfo']>;
export type Executors = Full<Schemas['Executors']>;
export type FeatureDrift = Full<Schemas['FeatureDrift']>;
export type Field = Full<Schemas['Field']>;
export type Finding = Full<Schemas['Finding']>;
export type Found = Full<Schemas['Found']>;
export type Gate = Full<Schemas['Gate']>;
export type GateCheck = Full<Schemas['GateCheck']>;
export type Gpu = Full<Schemas['Gpu']>;
export type Histogram = Full<Schemas['Histogram']>;
export type Importance = Full<Schemas['Importance']>;
export type InvokeReply = Full<Schemas['InvokeReply']>;
export type Job = Full<Schemas['Job']>;
export type JobLog = Full<Schemas['JobLog']>;
export type JobResources = Full<Schemas['JobResources']>;
export type Jobs = Full<Schemas['Jobs']>;
export type Kpi = Full<Schemas['Kpi']>;
export type KpiStatus = Full<Schemas['KpiStatus']>;
export type KpiVerdict = Full<Schemas['KpiVerdict']>;
export type LeakReport = Full<Schemas['LeakReport']>;
export type Lifecycle = Full<Schemas['Lifecycle']>;
export type Lineage = Full<Schemas['Lineage']>;
export type LiveKpi = Full<Schemas['LiveKpi']>;
export type Metric = Full<Schemas['Metric']>;
export type MinutePoint = Full<Schemas['MinutePoint']>;
export type ModelCard = Full<Schemas['ModelCard']>;
export type Models = Full<Schemas['Models']>;
export type ModelVersion = Full<Schemas['ModelVersion']>;
export type MonitorReport = Full<Schemas['MonitorReport']>;
export type Node = Full<Schemas['Node']>;
export type OperateReport = Full<Schemas['OperateReport']>;
export type Override = Full<Schemas['Override']>;
export type ParamImportance = Full<Schemas['ParamImportance']>;
export type PredictionRecord = Full<Schemas['PredictionRecord']>;
export type Profile = Full<Schemas['Profile']>;
export type Project = Full<Schemas['Project']>;
export type ProjectSummary = Full<Schemas['ProjectSummary']>;
export type Proof = Full<Schemas['Proof']>;
export type QualityFacts = Full<Schemas['QualityFacts']>;
export type QualityHistory = Full<Schemas['QualityHistory']>;
export type QualityResult = Full<Schemas['QualityResult']>;
export type QualitySummary = Full<Schemas['QualitySummary']>;
export type Resources = Full<Schemas['Resources']>;
export type ReviewedCell = Full<Schemas['ReviewedCell']>;
export type Revision = Full<Schemas['Revision']>;
export type Rule = Full<Schemas['Rule']>;
export type RuleResult = Full<Schemas['RuleResult']>;
export type RuleSet = Full<Schemas['RuleSet']>;
export type Run = Full<Schemas['Run']>;
export type RunCard = Full<Schemas['RunCard']>;
export type RunColumn = Full<Schemas['RunColumn']>;
export type RunCurve = Full<Schemas['RunCurve']>;
export type RunGroup = Full<Schemas['RunGroup']>;
export type RunRow = Full<Schemas['RunRow']>;
export type Runs = Full<Schemas['Runs']>;
export type RunSeries = Full<Schemas['RunSeries']>;
export type RunSummary = Full<Schemas['RunSummary']>;
export type RunTable = Full<Schemas['RunTable']>;
export type Schedule = Full<Schemas['Schedule']>;
export type SearchReport = Full<Schemas['SearchReport']>;
export type Series = Full<Schemas['Series']>;
export type Signature = Full<Schemas['Signature']>;
export type SignOff = Full<Schemas['SignOff']>;
export type Source = Full<Schemas['Source']>;
export type SourceEntries = Full<Schemas['SourceEntries']>;
export type SourceEntry = Full<Schemas['SourceEntry']>;
export type Sources = Full<Schemas['Sources']>;
export type SourceType = Full<Schemas['SourceType']>;
export type SplitFacts = Full<Schemas['SplitFacts']>;
export type Spread = Full<Schemas['Spread']>;
export type StepEntry = Full<Schemas['StepEntry']>;
export type StepStatus = Full<Schemas['StepStatus']>;
export type Suggestion = Full<Schemas['Suggestion']>;
export type Suggestions = Full<Schemas['Suggestions']>;
export type Task = Full<Schemas['Task']>;
export type TimeAxis = Full<Schemas['TimeAxis']>;
export type TopValue = Full<Schemas['TopValue']>;
export type Trial = Full<Schemas['Trial']>;
export type Usage = Full<Schemas['Usage']>;
export type Variable = Full<Schemas['Variable']>;
export type VariablesReply = Full<Schemas['VariablesReply']>;
export type VersionDiff = Full<Schemas['VersionDiff']>;
export type View = Full<Schemas['View']>;

export type Step = StepStatus['step'];
export type State = StepStatus['state'];
export type NodeKind = Node['kind'];

/** A condition on rows, as a tree. */
export type Filter = NonNullable<Request<'ViewSpec'>['filter']>;
export type ViewSpec = Request<'ViewSpec'>;
export type RunsRequest = Request<'RunsRequest'>;
export type RunsChange = Request<'RunsChange'>;

export type BackgroundRequest = Request<'BackgroundRequest'>;
export type VariablesRequest = Request<'VariablesRequest'>;

export type Watch = Request<'Watch'>;
export type Changed = Full<Schemas['Changed']>;
export type Points = Full<Schemas['Points']>;
export type Load = Full<Schemas['Load']>;
export type Failed = Full<Schemas['Failed']>;
export type Progress = Full<Schemas['Progress']>;
export type Ended = Full<Schemas['Ended']>;
export type ServerEvent = Changed | Points | Load | Progress | Ended | Failed;

/** The five steps in order, then operations. */
export const STEPS: readonly Step[] = [
  'problem',
  'data',
  'develop',
  'deploy',
  'monitor',
  'operate'
];
