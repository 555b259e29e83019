// Writes the sources of release N of a service: release.js DIRECTORY N
// Each release changes a line or two of one handler, every third also adds a function: what a day's work changes.
const fs = require('fs')
const path = require('path')

const [directory, last] = [process.argv[2], Number(process.argv[3])]
const modules = fs.existsSync(path.join(directory, '.npmrc')) // the bundled one is written in modules
const load = (names, from) =>
  modules ? `import { ${names} } from '${from}'` : `const { ${names} } = require('${from}')`
const offer = (name, body) => (modules ? `export const ${name} = ${body}` : `exports.${name} = ${body}`)

const handlers = ['create', 'list', 'notify']
for (const [place, name] of handlers.entries()) {
  const lines = [
    load('DynamoDBClient', '@aws-sdk/client-dynamodb'),
    load('DynamoDBDocumentClient, PutCommand, QueryCommand', '@aws-sdk/lib-dynamodb'),
    load('S3Client, GetObjectCommand', '@aws-sdk/client-s3'),
    load('SQSClient, SendMessageCommand', '@aws-sdk/client-sqs'),
    load('z', 'zod'),
    '',
    'const table = DynamoDBDocumentClient.from(new DynamoDBClient({}))',
    'const queue = new SQSClient({})',
    'const files = new S3Client({})',
    `const Order = z.object({ id: z.string(), amount: z.number().max(${1000 + place}), note: z.string().optional() })`,
  ]
  for (let release = 1; release <= last; release++) {
    if (release % handlers.length !== place) continue
    lines.push(`const limit${release} = ${(release * 7919) % 1009} // release ${release}`)
    if (release % 3 === 0) {
      lines.push(
        `const rule${release} = order => {`,
        `  if (order.amount > limit${release}) throw new Error('over the limit of release ${release}')`,
        `  return { ...order, checkedBy: 'rule${release}', at: new Date().toISOString() }`,
        '}',
      )
    }
  }
  lines.push(
    '',
    offer('handler', 'async event => {'),
    '  const order = Order.parse(JSON.parse(event.body))',
    `  await table.send(new PutCommand({ TableName: process.env.TABLE, Item: order }))`,
    `  const known = await table.send(new QueryCommand({ TableName: process.env.TABLE, KeyConditionExpression: 'id = :id', ExpressionAttributeValues: { ':id': order.id } }))`,
    `  const file = await files.send(new GetObjectCommand({ Bucket: process.env.BUCKET, Key: order.id }))`,
    `  await queue.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE, MessageBody: '${name} ' + known.Count + file.ETag }))`,
    `  return { statusCode: 200, body: JSON.stringify({ release: ${last}, service: '${name}' }) }`,
    '}',
    '',
  )
  fs.mkdirSync(path.join(directory, 'src'), { recursive: true })
  fs.writeFileSync(path.join(directory, 'src', `${name}.js`), lines.join('\n'))
}
