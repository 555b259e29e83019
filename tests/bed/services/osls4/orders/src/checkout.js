'use strict';

const { total } = require('./cart');

exports.handler = async ({ body }) => {
  const { items } = JSON.parse(body);
  return { statusCode: 200, body: JSON.stringify({ version: 'v1', total: total(items) }) };
};
